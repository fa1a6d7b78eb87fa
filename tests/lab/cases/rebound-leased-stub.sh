# SPDX-License-Identifier: LGPL-2.1-or-later
# A member on pci-stub is taken from there while its group is leased. Where the group is in a container the kernel keeps host drivers
# off it; where it is not, one comes, and the group is not viable: said once, and left as it is by the end of the lease.
# time: 240

A=0000:03:01.0 B=0000:03:02.0
to_stub() {
        modprobe pci-stub 2>/dev/null || [ -e /sys/bus/pci/drivers/pci-stub ]
        sysfs_override $B pci-stub
        [ "$(driver_of $B)" = none ] || sysfs_unbind $B
        sysfs_bind $B pci-stub
}
lease() {
        background holder vfioctl exec --mode=group "--prepare=$1" $A -- sleep 1000
        wait_until 20 leased
        forget_rebounds
}
no_lease() {
        finish holder
        wait_until 20 no_leases
}

to_stub
vfioctl bind $A
is "$(driver_of $A) $(driver_of $B)" "vfio-pci pci-stub"

lease attach
sysfs_unbind $B
sysfs_override $B
echo $B >/sys/bus/pci/drivers_probe || true
is "$(driver_of $B)" none "the kernel keeps the host's driver off it"
wait_until 10 said_of $B "$B was taken from pci-stub by somebody else than vfiod and has no driver now; lease"
said_times $B 1
contains "$(vfioctl list $A)" "(rebound)"
no_lease
is "$(driver_of $B)" none

to_stub
lease open
sysfs_unbind $B
sysfs_override $B
echo $B >/sys/bus/pci/drivers_probe
is "$(driver_of $B)" e1000
wait_until 10 said_of $B "from pci-stub to e1000 by somebody else than vfiod; lease"
contains "$(rebounds $B)" "and the group is not viable"
contains "$(vfioctl list $A)" "not viable"
contains "$(shown $B)" "it is bound to e1000, and its group is leased"
said_times $B 1
no_lease
is "$(driver_of $B)" e1000
vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(driver_of $B) $(override_of $B)" "e1000 none"
