# SPDX-License-Identifier: LGPL-2.1-or-later
# driver_override is written while the device is leased: nobody is told of that, and the next look finds it. It is said once, and
# Unbind leaves the driver to it.
# time: 240

N=0000:01:00.0
vfioctl bind $N
background holder vfioctl exec --mode=group $N -- sleep 1000
wait_until 20 leased
forget_rebounds
modprobe pci-stub 2>/dev/null || [ -e /sys/bus/pci/drivers/pci-stub ]
sysfs_override $N pci-stub
is "$(shown $N)" "it is bound to vfio-pci, but its driver_override is pci-stub"
wait_until 10 said_of $N "driver_override of $N was changed from vfio-pci to pci-stub by somebody else than vfiod"
said_times $N 1
finish holder
wait_until 20 no_leases
vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "pci-stub pci-stub"
said_times $N 1
sysfs_unbind $N
sysfs_override $N
sysfs_bind $N e1000e
