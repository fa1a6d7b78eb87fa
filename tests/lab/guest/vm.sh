# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case about VMs can say: Debian's QEMU, started as a user by `vfioctl exec` with the files it inherits, and spoken with
# over QMP. Such a case runs on the machine `vm-host`.

# Each VM has root ports to plug devices in: rp0, rp1, ...
VM_PORTS=3
VM_MEMORY_MIB=256

# vm NAME USER TARGET...: QEMU has the devices of the targets, and answers, when this returns. $VM_OPTIONS are further ones.
vm() {
        local name=$1 user=$2
        shift 2
        vm_directory "$name" "$user"
        # shellcheck disable=SC2046 # words
        background "$name" as "$user" vfioctl exec --mode=iommufd --prepare=open --label="$name" "$@" -- \
                qemu-system-x86_64 $(vm_options "$name") $(vfioctl qemu-args "$@" | sed "s/,bus=[^, ]*//g") "${VM_OPTIONS[@]}"
        wait_until 60 answers "$name"
}
VM_OPTIONS=()

vm_directory() {
        install -d -o "$2" -m 700 "$WORK/$1.vm"
        chmod a+x "$WORK"
}

vm_options() {
        local port
        echo -M q35,accel=tcg -m $VM_MEMORY_MIB -nodefaults -display none -S -qmp "unix:$WORK/$1.vm/qmp,server=on,wait=off"
        for ((port = 0; port < VM_PORTS; port++)); do
                echo "-device pcie-root-port,id=rp$port,chassis=$((port + 1)),slot=$((port + 1))"
        done
}

# qmp NAME ...: the command of that name (tests/lab/guest/qmp), on the VM.
qmp() {
        "$LAB/qmp" "$WORK/$1.vm/qmp" "${@:2}"
}

answers() {
        gone "$1" && fail "$1 runs: $(cat "$WORK/$1.out")"
        qmp "$1" query-status >/dev/null 2>&1
}

# vm_has NAME VENDOR:DEVICE: how many such PCI devices the VM has.
vm_has() {
        qmp "$1" query-pci | python3 -c '
import json, sys
def devices(bus):
    for device in bus["devices"]:
        yield device
        yield from devices(device.get("pci_bridge", {"devices": []}))
wanted = tuple(int(word, 16) for word in sys.argv[1].split(":"))
found = [device["id"] for bus in json.load(sys.stdin) for device in devices(bus)]
print(sum((ids["vendor"], ids["device"]) == wanted for ids in found))' "$2"
}
