# SPDX-License-Identifier: LGPL-2.1-or-later
# vfio-pci refuses a physical function that has virtual functions, which vfiod does before it unless it is told otherwise: the error
# has the kernel's reason, and the driver is back.
# machine: many
# kernels: lab

for P in /sys/bus/pci/drivers/nvme/0000:*; do
        [ ! -e "$P/sriov_totalvfs" ] || break
done
P=${P##*/}
echo 0 >"/sys/bus/pci/devices/$P/sriov_drivers_autoprobe"
echo 1 >"/sys/bus/pci/devices/$P/sriov_numvfs"
refused "it has 1 virtual functions" vfioctl bind "$P"
refused "bind $P to vfio-pci: Device or resource busy" vfioctl bind --override-safety "$P"
is "$(driver_of "$P") $(override_of "$P")" "nvme none"
echo 0 >"/sys/bus/pci/devices/$P/sriov_numvfs"
echo 1 >"/sys/bus/pci/devices/$P/sriov_drivers_autoprobe"
