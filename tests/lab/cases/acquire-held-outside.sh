# SPDX-License-Identifier: LGPL-2.1-or-later
# A group that a process has open without a lease is not given to anybody, nor unbound, and the sentence says how to find it.

N=0000:01:00.0
group=$(group_of $N)
vfioctl bind $N
exec {outside}<>"/dev/vfio/$group"
refused org.vfiod1.Error.HeldOutside vfioctl exec $N -- true
refused "vfioctl holders group/$group" vfioctl exec $N -- true
refused org.vfiod1.Error.HeldOutside vfioctl unbind $N
refused "held by pid $$ (" vfioctl unbind $N
is "$(driver_of $N)" vfio-pci
exec {outside}>&-
vfioctl exec $N -- true
vfioctl unbind $N
