# SPDX-License-Identifier: LGPL-2.1-or-later
# A group of devices without a driver is bound, and is without a driver again afterwards.

T=0000:00:10.0 U=0000:00:10.1
vfioctl bind $T
is "$(driver_of $T) $(driver_of $U)" "vfio-pci vfio-pci"
vfioctl exec $U -- $VFIO_USER --container '{container}' --device "$U={device:$U}" identify
vfioctl unbind $T
is "$(driver_of $T) $(driver_of $U)" "none none"
