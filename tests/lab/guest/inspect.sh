# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case can say about Device.Inspect.

# inspect USER DEVICE: what vfiod tells of it, as busctl's JSON. The device's name begins with a digit.
inspect() {
        local path=${2//:/_3a}
        path=${path//./_2e}
        as "$1" busctl --json=short call org.vfiod1 "/org/vfiod1/device/_3${path//-/_2d}" org.vfiod1.Device Inspect
}

# look_into DEVICE: as root; the functions below are about what was told then.
look_into() {
        inspect root "$1" >"$WORK/inspected"
}

# told KEY: the value, a line each where it is a list, numbers and words of a line with blanks between them.
told() {
        python3 -c '
import json, sys
value = json.load(sys.stdin)["data"][0][sys.argv[1]]["data"]
for row in value if isinstance(value, list) else [value]:
    print(*row if isinstance(row, list) else [row])' "$1" <"$WORK/inspected"
}

# region_of NAME: "flags size msix".
region_of() {
        told Regions | awk -v name="$1" '$2 == name { print $3, $4, $6 }'
}

# irqs_of NAME: how many; nothing where there is no such kind.
irqs_of() {
        told Irqs | awk -v name="$1" '$2 == name { print $4 }'
}

# bar_size DEVICE NUMBER: as sysfs says, 0 for none.
bar_size() {
        local first last
        read -r first last _ < <(sed -n "$(($2 + 1))p" "/sys/bus/pci/devices/$1/resource")
        echo $((last ? last - first + 1 : 0))
}
