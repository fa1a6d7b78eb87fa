# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian's QEMU, as an ordinary user without any capability, drives a NIC and then a disk that vfiod has handed to it.
# machine: vm-host
# kernels: lab
# time: 180

N=0000:01:00.0 S=0000:02:00.0
vfioctl bind $N $S
allow alice acquire raise-memlock
vm one alice $N
is "$(vm_has one 8086:10d3)" 1 "it has the e1000e"
has_no_privilege one alice
(($(locked_by one) >= VM_MEMORY_MIB * 1024)) || fail "its memory is charged to itself: $(locked_by one) KiB"
is "$(holders_of $N | awk '{ print $2, $6 }')" "$(id -u alice) cdev,iommufd,lease,mapping" "vfiod sees it has the device"
finish one
wait_until 20 no_leases

vm two alice $S
is "$(vm_has two 1b36:0010)" 1 "it has the nvme"
has_no_privilege two alice
finish two
wait_until 20 no_leases
after_taking_back_from_vms $N $S
