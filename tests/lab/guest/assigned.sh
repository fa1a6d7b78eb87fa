# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a machine that boots with the assignments of machines.py must be like: 01:00.0 and 03:01.0 are assigned, and 03:02.0, which has
# the own driver of 03:01.0, is not.

assignments_came_true() {
        is "$(driver_of 0000:01:00.0) $(override_of 0000:01:00.0)" "vfio-pci vfio-pci"
        is "$(driver_of 0000:03:01.0) $(override_of 0000:03:01.0)" "vfio-pci vfio-pci"
        is "$(driver_of 0000:03:02.0) $(override_of 0000:03:02.0)" "e1000 none" "the other device of the same driver is not assigned"
        lacks "$(dmesg)" "e1000 0000:03:01.0"
        lacks "$(dmesg)" "e1000e 0000:01:00.0"
        lacks "$(dmesg)" "vfiod-assigned:"
}

# initramfs_has_assigned END: the driver of the device that is not assigned was loaded before the kernel's log has END, which is when
# the initramfs gives way to the root on the disk.
initramfs_has_assigned() {
        local own="e1000 0000:03:02.0 eth"
        is "$(stat --file-system --format=%T /)" "ext2/ext3" "the root is on the disk"
        is "$(dmesg | grep -oE "$own|$1" | uniq | head -n 2 | tr '\n' ';')" "$own;$(dmesg | grep -oE -m 1 "$1");" \
                "the initramfs has loaded the driver of the device that is not assigned"
        assignments_came_true
}

# vfiod finds them so, and gives one to its driver.
assigned_is_given_back() {
        contains "$(vfioctl list 0000:01:00.0)" "(assigned) "
        vfioctl exec 0000:01:00.0 -- true
        vfioctl unbind 0000:01:00.0
        wait_until 20 test -e /sys/bus/pci/devices/0000:01:00.0/driver
        is "$(driver_of 0000:01:00.0) $(override_of 0000:01:00.0)" "e1000e none"
}
