# SPDX-License-Identifier: LGPL-2.1-or-later
# A machine that boots with assignments: the devices are on vfio-pci without vfiod having run, their own drivers never had them, and
# others of the same driver are on it. vfiod finds them as they are, gives one to its driver, and forgets neither.
# machine: assigned
# boot: own
# time: 180

N=0000:01:00.0
is "$(systemctl show --value --property=ActiveState vfiod.service)" inactive "vfiod has not run"
is "$(driver_of $N) $(override_of $N)" "vfio-pci vfio-pci"
is "$(driver_of 0000:03:01.0) $(override_of 0000:03:01.0)" "vfio-pci vfio-pci"
is "$(driver_of 0000:03:02.0) $(override_of 0000:03:02.0)" "e1000 none" "the other device of the same driver is not assigned"
is "$(driver_of 0000:02:00.0)" nvme
lacks "$(dmesg)" "e1000e $N"
lacks "$(dmesg)" "vfiod-assigned:"

contains "$(vfioctl list $N)" "(assigned) "
vfioctl exec $N -- true
vfioctl unbind $N
wait_until 20 test -e /sys/bus/pci/devices/$N/driver
is "$(driver_of $N) $(override_of $N)" "e1000e none"
contains "$(cat /etc/vfiod/assignments.json)" "\"$N\""
systemctl restart vfiod.service
contains "$(vfioctl list $N)" "assigned, but on e1000e"
vfioctl bind $N

# As it was, but for when: what the machine boots with is what Assign writes.
before=$(grep -v since /etc/vfiod/assignments.json | head -9)
vfioctl assign $N
is "$(grep -v since /etc/vfiod/assignments.json | head -9)" "$before"
