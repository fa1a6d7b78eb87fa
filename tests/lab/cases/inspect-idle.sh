# SPDX-License-Identifier: LGPL-2.1-or-later
# Inspect of a device that nobody has tells what sysfs and lspci tell of it, and leaves it free.

compare() {
        local device=$1 capabilities bar number resets
        look_into "$device"
        capabilities=$(lspci -vvs "$device")
        if [ -e /dev/iommu ]; then
                is "$(told Mode)" iommufd
                is "$(told HwType)" intel-vtd "the IOMMU behind $device"
        else
                is "$(told Mode)" group
        fi
        contains "$(told Flags)" pci
        for number in 0 1 2 3 4 5; do
                is "$(told Regions | awk -v name=bar$number '$2 == name { print $4 }')" "$(bar_size "$device" $number)" \
                        "size of bar$number of $device"
        done
        is "$(region_of config)" "3 $(stat --format=%s "/sys/bus/pci/devices/$device/config") False"

        bar=$(sed -n 's/.*Vector table: BAR=\([0-5]\) .*/\1/p' <<<"$capabilities")
        is "$(told Regions | awk '$6 == "True" { print $2 }')" "bar$bar" "the region with the MSI-X table of $device"
        is "$(irqs_of msix)" "$(sed -n 's/.*MSI-X: Enable. Count=\([0-9]*\) .*/\1/p' <<<"$capabilities")"
        is "$(irqs_of msi)" "$(sed -n 's/.*MSI: Enable. Count=[0-9]*\/\([0-9]*\) .*/\1/p' <<<"$capabilities" | grep . || echo 0)"
        is "$(irqs_of intx)" 1
        is "$(irqs_of err)" 1 "PCI Express devices report errors"
        is "$(irqs_of req)" 1
        resets=$(<"/sys/bus/pci/devices/$device/reset_method")
        is "$(told Resets | paste -sd ' ')" "$resets"
}

N=0000:01:00.0 S=0000:02:00.0
refused "$N is bound to e1000e; only a device on a vfio driver can be inspected: bind the whole group" inspect root $N
refused "0000:00:10.0 is bound to no driver" inspect root 0000:00:10.0
is "$(driver_of $N)" e1000e
vfioctl bind $N $S
compare $N
compare $S
is "$(driver_of $N) $(driver_of $S)" "vfio-pci vfio-pci"
is "$(ref_count $N) $(ref_count $S)" "0 0" "nobody has them afterwards"
vfioctl exec $N $S -- true
vfioctl unbind $N $S
