# SPDX-License-Identifier: LGPL-2.1-or-later
# Two users have a VM each, with a device of their own group; a third who wants one of these is told who has it.
# machine: vm-host
# kernels: lab
# time: 240

N=0000:01:00.0 S=0000:02:00.0
vfioctl bind $N $S
allow alice acquire raise-memlock
allow bob acquire raise-memlock
allow carol acquire raise-memlock
vm one alice $N
vm two bob $S
is "$(vm_has one 8086:10d3) $(vm_has two 1b36:0010)" "1 1"
is "$(holders_of $N | awk '{ print $2 }') $(holders_of $S | awk '{ print $2 }')" "$(id -u alice) $(id -u bob)"
refused "is leased to uid $(id -u alice) (lease 1 for 'one')" as carol vfioctl exec --mode=iommufd --prepare=open $N -- true
refused "is leased to uid $(id -u bob) (lease 2 for 'two')" as alice vfioctl exec --mode=iommufd --prepare=open $S -- true
is "$(vm_has one 8086:10d3) $(vm_has two 1b36:0010)" "1 1" "neither has noticed"
finish one
finish two
wait_until 20 no_leases
after_taking_back_from_vms $N $S
