# SPDX-License-Identifier: LGPL-2.1-or-later
# The driver_override that a device had before is there again after unbind; what vfiod did not bind gets the kernel's choice.

N=0000:01:00.0
echo e1000e >/sys/bus/pci/devices/$N/driver_override
vfioctl bind $N
is "$(override_of $N)" vfio-pci
contains "$(vfioctl --json show $N)" e1000e
vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "e1000e e1000e"
echo >/sys/bus/pci/devices/$N/driver_override

modprobe vfio-pci
echo vfio-pci >/sys/bus/pci/devices/$N/driver_override
echo $N >/sys/bus/pci/drivers/e1000e/unbind
echo $N >/sys/bus/pci/drivers/vfio-pci/bind
vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "e1000e none"
