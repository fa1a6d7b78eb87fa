# SPDX-License-Identifier: LGPL-2.1-or-later
# Binding what is bound and unbinding what is not do nothing, and succeed.

A=0000:03:01.0
vfioctl unbind $A
is "$(driver_of $A)" e1000
vfioctl bind $A
vfioctl bind $A
vfioctl unbind $A
vfioctl unbind $A
is "$(driver_of $A)" e1000
