# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What an initramfs must have done with the assignments of machines.py before it switched to the root on the disk: it loads the driver of
# 03:02.0, which is the own driver of 03:01.0 too.

initramfs_has_assigned() {
        local own="e1000 0000:03:02.0 eth"
        is "$(stat --file-system --format=%T /)" "ext2/ext3" "the root is on the disk"
        is "$(dmesg | grep -oE "$own|EXT4-fs \(vda\): mounted" | uniq | head -n 2 | tr '\n' ';')" "$own;EXT4-fs (vda): mounted;" \
                "the initramfs has loaded the driver of the device that is not assigned"
        lacks "$(dmesg)" "e1000 0000:03:01.0"
        lacks "$(dmesg)" "e1000e 0000:01:00.0"
        lacks "$(dmesg)" "vfiod-assigned:"
        is "$(driver_of 0000:01:00.0) $(override_of 0000:01:00.0)" "vfio-pci vfio-pci"
        is "$(driver_of 0000:03:01.0) $(override_of 0000:03:01.0)" "vfio-pci vfio-pci"
        is "$(driver_of 0000:03:02.0) $(override_of 0000:03:02.0)" "e1000 none"
}

# vfiod finds them so, and gives one to its driver and back.
assigned_is_known() {
        contains "$(vfioctl list 0000:01:00.0)" "(assigned) "
        vfioctl exec 0000:01:00.0 -- true
        vfioctl unbind 0000:01:00.0
        wait_until 20 test -e /sys/bus/pci/devices/0000:01:00.0/driver
        is "$(driver_of 0000:01:00.0)" e1000e
        vfioctl bind 0000:01:00.0
}
