# SPDX-License-Identifier: LGPL-2.1-or-later
# A short driver over libvfiod, run by a user without privilege: registers, DMA and an interrupt of a device, the same in
# group mode and in iommufd mode where the kernel has that; afterwards the device is free.

EDU=0000:00:10.1
allow alice acquire
vfioctl bind $EDU

expected=$'edu 1.0\n10! = 3628800\n1024 bytes by DMA to the device and back\n1 interrupt'
is "$(as alice /usr/lib/vfiod-lab/edu $EDU group)" "$expected" "group mode"
wait_until 20 no_leases
if [ -e /dev/iommu ]; then
        is "$(as alice /usr/lib/vfiod-lab/edu $EDU iommufd)" "$expected" "iommufd mode"
        wait_until 20 no_leases
fi
is "$(as alice /usr/lib/vfiod-lab/edu $EDU)" "$expected" "the mode that there is"
wait_until 20 no_leases
vfioctl unbind $EDU
