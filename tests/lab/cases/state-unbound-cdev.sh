# SPDX-License-Identifier: LGPL-2.1-or-later
# The state is lost while a process has a cdev that it has not bound, of which the kernel tells nothing: vfiod seals it, so that the
# process cannot use the device any more, and nobody else is given it while that has it open.
# kernels: lab
# usually: lab
# time: 240

in_mode iommufd
N=0000:01:00.0
allow alice acquire bind
hold owner alice $N unbound-child
wait_until 10 gone owner
child=$(sed -nE 's/^process ([0-9]+) goes on with the files$/\1/p' "$WORK/owner.out")
systemctl stop vfiod.service
truncate --size=0 $STATE
forget_records
systemctl start vfiod.service
wait_until 10 records_say "of leases that nothing is known of were closed"
for mode in iommufd group; do
        refused org.vfiod1.Error.HeldOutside vfioctl exec --mode=$mode $N -- true
done
kill -USR1 "$child"
wait_until 10 said owner "$N: cannot be bound: Invalid argument"
refused org.vfiod1.Error.HeldOutside vfioctl unbind $N
is "$(driver_of $N)" vfio-pci
kill -TERM "$child"
wait_until 20 vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "e1000e none"
