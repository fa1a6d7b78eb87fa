# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a case must leave as it found it: every PCI device and every other device with an IOMMU group, its driver, override,
# group and number of virtual functions. Owns reading that state as lines, comparing two readings and putting one back.

# machine_state: a line for each fact, sorted. Devices that come or go meanwhile are no error. Three processes, because under
# emulation each costs as much as all that they read.
machine_state() {
        find /sys/bus/pci/devices/*/ /sys/kernel/iommu_groups/*/devices/*/ -maxdepth 1 \
                \( -name driver -o -name iommu_group -o -name driver_override -o -name sriov_numvfs -o -name uevent \) \
                -printf '%h %f %l\n' 2>/dev/null |
                awk '{
                        depth = split($1, path, "/")
                        device = path[depth] == "" ? path[depth - 1] : path[depth]
                        value = $3
                        sub(".*/", "", value)
                        if ($2 == "driver_override" || $2 == "sriov_numvfs") {
                                getline value <($1 "/" $2)
                                close($1 "/" $2)
                        }
                        sub("^\\(null\\)$", "", value)
                        print device, $2 == "uevent" ? "present" : $2, value
                }' | LC_ALL=C sort -u || true
}

# state_difference BEFORE AFTER: what changed, - and + as diff says it.
state_difference() {
        LC_ALL=C comm -3 "$1" "$2" | sed -E 's/^\t/+ /; t; s/^/- /'
}

# restore_state FILE: writes back what differs from that reading.
restore_state() {
        local before=$1 device fact value
        machine_state | LC_ALL=C comm -23 "$before" - >"$before.lost"
        while read -r device fact value; do
                case $fact in
                sriov_numvfs) write_sysfs "$device/sriov_numvfs" "$value" ;;
                driver_override) write_sysfs "$device/driver_override" "$value" ;;
                esac
        done <"$before.lost"
        # A driver that was not there before is only a surplus line: such a device is found by having one now.
        machine_state | LC_ALL=C comm -13 "$before" - | while read -r device fact value; do
                [ "$fact" != driver ] || write_sysfs "$device/driver/unbind" "$device"
        done
        while read -r device fact value; do
                [ "$fact" != driver ] || echo "$device" >"/sys/bus/pci/drivers/$value/bind"
        done <"$before.lost"
}

write_sysfs() {
        printf '%s\n' "$2" >"/sys/bus/pci/devices/$1"
}
