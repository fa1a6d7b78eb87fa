# SPDX-License-Identifier: LGPL-2.1-or-later
# The original driver's module was unloaded meanwhile: unbind loads it again.

A=0000:03:01.0 B=0000:03:02.0
vfioctl bind $A
rmmod e1000
expect "e1000 is unloaded" test ! -e /sys/bus/pci/drivers/e1000
vfioctl unbind $A
is "$(driver_of $A) $(driver_of $B)" "e1000 e1000"
