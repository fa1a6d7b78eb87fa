# SPDX-License-Identifier: LGPL-2.1-or-later
# An initramfs by initramfs-tools, with vfiod's hook, has the assigned devices on vfio-pci before it switches to the root file system.
# machine: initramfs-tools
# kernels: lab
# boot: own
# time: 180

initramfs_has_assigned "EXT4-fs .vda.: mounted"
assigned_is_given_back
vfioctl bind 0000:01:00.0
