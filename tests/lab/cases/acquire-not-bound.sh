# SPDX-License-Identifier: LGPL-2.1-or-later
# Without "bind", a group that is not on a vfio driver is refused with the reason of each member and the remedy.

A=0000:03:01.0 T=0000:00:10.0
refused org.vfiod1.Error.NotViable vfioctl exec $A -- true
refused "0000:03:02.0 is bound to e1000; bind the whole group with 'vfioctl bind group/$(group_of $A)'" vfioctl exec $A -- true
refused org.vfiod1.Error.NotBound vfioctl exec $T -- true
refused "$T is bound to no driver" vfioctl exec $T -- true
