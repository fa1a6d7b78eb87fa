# SPDX-License-Identifier: LGPL-2.1-or-later
# Inspect of a mediated device: no IOMMU stands behind it, its driver tells what it likes, and it has no resets of its own.
# kernels: lab

U=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
modprobe mtty
echo $U >/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/create
known() { vfioctl show $U >/dev/null; }
wait_until 10 known
look_into $U
is "$(told Mode)" iommufd
contains "$(told Flags)" pci "mtty gives itself out for a PCI card"
contains "$(region_of config)" "3 "
is "$(irqs_of intx)" 1
is "$(irqs_of msix)" "" "mtty knows nothing of it"
is "$(told Resets)" ""
echo 1 >/sys/bus/mdev/devices/$U/remove
unknown() { ! known 2>/dev/null; }
wait_until 10 unknown
rmmod mtty
