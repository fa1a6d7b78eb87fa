# SPDX-License-Identifier: LGPL-2.1-or-later
# The driver of a bridge comes while its group is leased and not in a container yet: the group is not viable any more, which is said
# once; the lease goes on, and its end leaves the bridge alone.
# machine: shpchp
# kernels: stock
# time: 240

A=0000:03:01.0 BRIDGE=0000:00:03.0
sysfs_unbind $BRIDGE
vfioctl bind $A
background holder vfioctl exec --mode=group --prepare=open $A -- sleep 1000
wait_until 20 leased
forget_rebounds
sysfs_bind $BRIDGE shpchp
wait_until 10 said_of $BRIDGE "$BRIDGE, which had no driver, was bound to shpchp by somebody else than vfiod; lease"
contains "$(rebounds $BRIDGE)" "and the group is not viable"
contains "$(vfioctl list $A)" "not viable"
said_times $BRIDGE 1
contains "$(vfioctl leases)" held
finish holder
wait_until 20 no_leases
vfioctl unbind $A
is "$(driver_of $BRIDGE)" shpchp
is "$(driver_of $A) $(override_of $A)" "e1000 none"
