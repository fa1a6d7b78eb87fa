# SPDX-License-Identifier: LGPL-2.1-or-later
# shpchp on the bridge makes the group not viable: it is named with the remedy, and the remedy works.
# machine: shpchp
# kernels: stock

A=0000:03:01.0
refused org.vfiod1.Error.NotViable vfioctl bind $A
refused "echo 0000:00:03.0 > /sys/bus/pci/drivers/shpchp/unbind" vfioctl bind $A
contains "$(vfioctl explain $A || true)" "shpchp"
is "$(driver_of $A)" e1000
echo 0000:00:03.0 >/sys/bus/pci/drivers/shpchp/unbind
vfioctl bind $A
vfioctl exec $A -- $VFIO_USER --container '{container}' --device "$A={device:$A}" identify
vfioctl unbind $A
echo 0000:00:03.0 >/sys/bus/pci/drivers/shpchp/bind
