# SPDX-License-Identifier: LGPL-2.1-or-later
# Several targets are one transaction: when a later group fails, the earlier ones go back to their drivers.

N=0000:01:00.0 S=0000:02:00.0
vfioctl list >/dev/null
touch "$WORK/override"
mount --bind "$WORK/override" "/sys/bus/pci/devices/$S/driver_override"
refused "bind $S to vfio-pci" vfioctl bind $N $S
umount "/sys/bus/pci/devices/$S/driver_override"
is "$(driver_of $N) $(driver_of $S)" "e1000e nvme"
