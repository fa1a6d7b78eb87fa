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
        local VM_APPEND=()
        [ "$VM_GUEST" = none ] || VM_APPEND=(-append "console=ttyS0 quiet tsc=reliable mitigations=off panic=-1 no_timer_check")
        # shellcheck disable=SC2046 # words
        background "$name" as "$user" vfioctl exec --mode=iommufd --prepare=open --memlock=4G --label="$name" "$@" -- \
                qemu-system-x86_64 "${VM_APPEND[@]}" $(vm_options "$name") $(vfioctl qemu-args "$@" | sed "/vfio-pci/s/\$/${VM_BUS:+,bus=$VM_BUS}/")
        wait_until 60 answers "$name"
}
# none, or linux: this machine's kernel, and nothing else (vm-init.c); what it says is in $WORK/NAME.vm/console.
VM_GUEST=none
# The bus that they go to: a port, or VM_BUS= for the root bus, where nothing can be unplugged.
VM_BUS=

vm_directory() {
        install -d -o "$2" -m 700 "$WORK/$1.vm"
        chmod a+x "$WORK"
}

vm_options() {
        local port
        # Native PCI Express hotplug: what nobody has switched on can be pulled at once.
        echo -M q35,accel=tcg -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off -m $VM_MEMORY_MIB -nodefaults -display none
        if [ "$VM_GUEST" = linux ]; then
                echo -cpu max -kernel /boot/vmlinuz -initrd "$LAB/vm-initrd" -serial "file:$WORK/$1.vm/console"
        else
                echo -S
        fi
        echo -qmp "unix:$WORK/$1.vm/qmp,server=on,wait=off"
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

# vm_devices NAME: the ids of the devices that it has been given, also of those behind ports that nobody has set up.
vm_devices() {
        qmp "$1" qom-list '{"path": "/machine/peripheral"}' | python3 -c '
import json, sys
print(*sorted(child["name"] for child in json.load(sys.stdin) if child["type"] == "child<vfio-pci>"))'
}

# vm_has NAME VENDOR:DEVICE: how many such PCI devices it sees on its root bus.
vm_has() {
        qmp "$1" query-pci | python3 -c '
import json, sys
def devices(bus):
    for device in bus.get("devices", []):
        yield device
        yield from devices(device.get("pci_bridge", {}))
wanted = tuple(int(word, 16) for word in sys.argv[1].split(":"))
found = [device["id"] for bus in json.load(sys.stdin) for device in devices(bus)]
print(sum((ids["vendor"], ids["device"]) == wanted for ids in found))' "$2"
}

# asked_to_unplug NAME ID: its guest has been asked to, and has not answered. From then on that is so in any case.
asked_to_unplug() {
        local words
        words=$(qmp "$1" device_del "{\"id\": \"$2\"}" 2>&1) && return 1
        [[ $words == *"already in the process of unplug"* ]]
}

# has_no_privilege NAME USER: the VM is an ordinary process of the user, who cannot open what it has by himself.
has_no_privilege() {
        is "$(sed -n 's/^CapEff:\t//p' "/proc/$(pid_of "$1")/status")" 0000000000000000 "capabilities of $1"
        is "$(ps -o user= -p "$(pid_of "$1")")" "$2"
        refused "Permission denied" as "$2" sh -c 'exec 9<>/dev/iommu'
        refused "Permission denied" as "$2" sh -c 'for node in /dev/vfio/devices/*; do exec 9<>"$node"; done'
}

# locked_by NAME: KiB that are charged to it.
locked_by() {
        sed -n 's/^VmLck:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$(pid_of "$1")/status"
}

# after_taking_back_from_vms DEVICE...: nothing is left of the VMs, and the devices go back to their drivers.
after_taking_back_from_vms() {
        vfioctl unbind "$@"
        after_taking_back "$@"
}

# guest_says NAME TEXT: on its console.
guest_says() {
        grep -qF -- "$2" "$WORK/$1.vm/console"
}
