#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints what vfiod reads of this machine's sysfs, one path a line, for tests/data/machines/NAME/sysfs. Run as root, or bridges
# show no header type. tests/unit/fixture-tree.c unpacks it:
#     path<TAB>content      an attribute; \n, \\ and \xNN are escaped
#     path -> target        a link
#     path/                 a directory with nothing of interest in it
set -eu
cd "${1:-/sys}"

escape() {
        sed -e 's/\\/\\\\/g' "$1" | awk 'NR > 1 { printf "\\n" } { printf "%s", $0 } END { if (NR) printf "\\n" }'
}

attribute() {
        [ ! -f "$1" ] || printf '%s\t%s\n' "$1" "$(escape "$1")"
}

link() {
        [ ! -L "$1" ] || printf '%s -> %s\n' "$1" "$(readlink "$1")"
}

# The start of configuration space, of bridges alone: nothing else is read of it.
configuration() {
        case $(cat "$1/class" 2>/dev/null) in
        0x06*) printf '%s/config\t%s\n' "$1" "$(od -An -v -tx1 -N64 "$1/config" | tr -d '\n' | sed 's/ /\\x/g')" ;;
        esac
}

device() {
        for name in uevent driver_override numa_node reset_method; do
                attribute "$1/$name"
        done
        for name in subsystem driver iommu_group physfn; do
                link "$1/$name"
        done
        configuration "$1"
        for directory in "$1"/net/* "$1"/vfio-dev/*; do
                [ ! -d "$directory" ] || printf '%s/\n' "$directory"
                case $directory in */vfio-dev/*) attribute "$directory/dev" ;; esac
        done
}

driver() {
        if [ -L "$1/module" ]; then
                link "$1/module"
        else
                printf '%s/\n' "$1"
        fi
}

for group in kernel/iommu_groups/*; do
        for name in name type reserved_regions; do
                attribute "$group/$name"
        done
        for member in "$group"/devices/*; do
                link "$member"
                path=$(realpath "$member")
                path=${path#"$PWD/"}
                device "$path"
                link "bus/$(basename "$(readlink "$path/subsystem")")/devices/$(basename "$path")"
                if [ -L "$path/driver" ]; then
                        driver=$(realpath "$path/driver")
                        driver "${driver#"$PWD/"}"
                fi
        done
done | awk '!seen[$0]++'
[ ! -d class/vfio-dev ] || printf 'class/vfio-dev/\n'
