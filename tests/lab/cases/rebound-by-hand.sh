# SPDX-License-Identifier: LGPL-2.1-or-later
# Members of a group that vfiod has bound are moved by sysfs: it is shown, said once for each move, and Unbind leaves them where they
# were put; the next Bind takes that for the original.
# time: 240

A=0000:03:01.0 B=0000:03:02.0

# To another driver, the override with it.
vfioctl bind $A
forget_rebounds
sysfs_override $B e1000
sysfs_unbind $B
sysfs_bind $B e1000
wait_until 10 said_of $B "$B was moved from vfio-pci to e1000 by somebody else than vfiod; it stays there"
contains "$(vfioctl list $A)" "not viable"
contains "$(vfioctl list $A)" "(rebound)"
contains "$(vfioctl list $A)" "it is bound to e1000, and others of its group were bound to vfio drivers"
vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(driver_of $B) $(override_of $B)" "e1000 e1000" "what was chosen stays"
lacks "$(vfioctl list $A)" "(rebound)"
said_times $B 1
vfioctl bind $A
vfioctl unbind $A
is "$(driver_of $B) $(override_of $B)" "e1000 e1000" "and is the original of the next Bind"
sysfs_override $B

# Away from its driver, and no further.
vfioctl bind $A
forget_rebounds
sysfs_unbind $B
wait_until 10 said_of $B "$B was taken from vfio-pci by somebody else than vfiod and has no driver now"
contains "$(shown $B)" "its driver_override is still vfio-pci, which vfiod has set"
said_times $B 1
vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(driver_of $B) $(override_of $B)" "none none" "it stays without a driver, and loses our override"
echo $B >/sys/bus/pci/drivers_probe
is "$(driver_of $B)" e1000

# Away and back again, as when vfio-pci is reloaded.
vfioctl bind $A
forget_rebounds
sysfs_unbind $B
sysfs_bind $B vfio-pci
said_times $B 0
vfioctl unbind $A
is "$(driver_of $B) $(override_of $B)" "e1000 none" "the record is in force again"
