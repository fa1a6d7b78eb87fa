# SPDX-License-Identifier: LGPL-2.1-or-later
# A mediated device, behind which no IOMMU stands, is listed and leased in group mode like any other.
# kernels: lab

U=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
modprobe mtty
echo $U >/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/create
known() { vfioctl show $U >/dev/null; }
wait_until 10 known
contains "$(vfioctl --json show $U)" mdev
words=$(vfioctl exec $U -- $VFIO_USER --container '{container}' --group '{group}' --device "$U={device:$U}" group-status)
contains "$words" viable
refused org.vfiod1.Error.NoVfioDriver vfioctl unbind $U
echo 1 >/sys/bus/mdev/devices/$U/remove
unknown() { ! known 2>/dev/null; }
wait_until 10 unknown
rmmod mtty
