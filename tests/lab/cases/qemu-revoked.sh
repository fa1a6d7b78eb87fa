# SPDX-License-Identifier: LGPL-2.1-or-later
# A VM that is asked for its device asks its guest to unplug it; where nobody answers, the device is taken at the deadline.
# machine: vm-host
# kernels: lab
# time: 240

N=0000:01:00.0
vfioctl bind $N
allow alice acquire raise-memlock
keep_pinging
vm one alice $N
# Only what is behind a hotplug port can be unplugged: QEMU then says that it has asked.
refused "does not support hotplugging" qmp one device_del '{"id": "vfio-0000-01-00.0"}'
finish one
wait_until 20 no_leases

# shellcheck disable=SC2034 # for vm
VM_BUS=rp0
vm two alice $N
background unbinder vfioctl unbind --revoke=40 $N
wait_until 30 lease_is releasing
# Its guest is asked in the same moment; it is looked at once, since looking asks the guest, too.
sleep 8
expect "its guest has been asked by vfiod" asked_to_unplug two vfio-0000-01-00.0
is "$(vm_devices two)" vfio-0000-01-00.0 "it still has it"
expect "it has not been harmed" alive two
wait "$(pid_of unbinder)" || fail "the device is taken: $(cat "$WORK/unbinder.out")"
ended_by two BUS
wait_until 20 no_leases
after_taking_back_from_vms $N
always_answered
