# SPDX-License-Identifier: LGPL-2.1-or-later
# A Linux in the VM answers: it lets go of the device when it is asked to, and nobody is sent a signal.
# machine: vm-host
# kernels: lab
# time: 480
# slow

N=0000:01:00.0
vfioctl bind $N
allow alice acquire raise-memlock
# shellcheck disable=SC2034 # for vm
VM_GUEST=linux
# shellcheck disable=SC2034 # for vm
VM_BUS=rp0
vm one alice $N
booting=$EPOCHREALTIME
wait_until 400 guest_says one "the guest is up"
note "the guest was up after $(in_seconds "$(ms_since "$booting")")"
wait_until 20 guest_says one "0000:01:00.0"
takes_back --revoke=200 $N
took_less_than 200000
expect "the VM runs" alive one
is "$(vm_devices one)" "" "the device has left it"
guest_says one "the guest is up"
finish one
wait_until 20 no_leases
after_taking_back $N
