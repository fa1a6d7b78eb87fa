# SPDX-License-Identifier: LGPL-2.1-or-later
# When the second member cannot be bound, the first is put back: a member whose override is not taken stands for a refusing driver.

A=0000:03:01.0 B=0000:03:02.0
vfioctl list >/dev/null
# What is written here never reaches the kernel, so that vfio-pci does not match the device.
touch "$WORK/override"
mount --bind "$WORK/override" "/sys/bus/pci/devices/$B/driver_override"
refused "bind $B to vfio-pci" vfioctl bind $A
refused org.vfiod1.Error.Failed vfioctl bind $A
umount "/sys/bus/pci/devices/$B/driver_override"
is "$(driver_of $A) $(driver_of $B)" "e1000 e1000"
is "$(override_of $A) $(override_of $B)" "none none"
vfioctl bind $A
vfioctl unbind $A
