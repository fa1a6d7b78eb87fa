# SPDX-License-Identifier: LGPL-2.1-or-later
# Both devices of one group go into one VM, through one iommufd.
# machine: vm-host
# kernels: lab
# time: 180

A=0000:03:01.0 B=0000:03:02.0
vfioctl bind "group/$(group_of $A)"
allow alice acquire raise-memlock
vm both alice $A $B
is "$(vm_has both 8086:100e)" 2 "it has both e1000"
is "$(ref_count $A)" 1 "it is the only holder of the group"
finish both
wait_until 20 no_leases
after_taking_back_from_vms $A
