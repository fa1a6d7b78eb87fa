# SPDX-License-Identifier: LGPL-2.1-or-later
# An initramfs by dracut, with vfiod's module, has the assigned devices on vfio-pci before it switches to the root file system.
# machine: initramfs-dracut
# kernels: lab
# boot: own
# time: 180

initramfs_has_assigned "Received SIGTERM from PID 1"
assigned_is_given_back
vfioctl bind 0000:01:00.0
