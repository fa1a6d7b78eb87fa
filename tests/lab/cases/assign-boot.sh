# SPDX-License-Identifier: LGPL-2.1-or-later
# A machine that boots with assignments: the devices are on vfio-pci without vfiod having run, their own drivers never had them, and
# others of the same driver are on it. vfiod finds them as they are, gives one to its driver, and forgets neither.
# machine: assigned
# boot: own
# time: 180

N=0000:01:00.0
is "$(systemctl show --value --property=ActiveState vfiod.service)" inactive "vfiod has not run"
assignments_came_true
is "$(driver_of 0000:02:00.0)" nvme

assigned_is_given_back
contains "$(cat /etc/vfiod/assignments.json)" "\"$N\""
systemctl restart vfiod.service
contains "$(vfioctl list $N)" "assigned, but on e1000e"
vfioctl bind $N

# As it was, but for when: what the machine boots with is what Assign writes.
before=$(grep -v since /etc/vfiod/assignments.json | head -9)
vfioctl assign $N
is "$(grep -v since /etc/vfiod/assignments.json | head -9)" "$before"
