# SPDX-License-Identifier: LGPL-2.1-or-later
# vfioctl monitor shows binding, a lease coming and going, and a device coming and going.

N=0000:01:00.0
vfioctl list >/dev/null
background monitor vfioctl monitor
wait_until 20 said monitor watching
vfioctl bind $N
wait_until 10 said monitor vfio-pci
vfioctl exec $N -- true
wait_until 10 said monitor lease/1
vfioctl unbind $N
host device_add e1000e,id=hot0,bus=hp1
wait_until 20 said monitor 0000:04:00.0
host device_del hot0
wait_until 30 absent 0000:04:00.0
finish monitor
