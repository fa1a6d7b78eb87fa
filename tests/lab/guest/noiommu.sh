# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case about devices without an IOMMU can say: what the administrator of such a machine does.

NOIOMMU_MODE=/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
NOIOMMU_DROP_IN=/run/systemd/system/vfiod.service.d/vfiod-noiommu.conf

# enable_noiommu: the kernel makes groups for devices that have none, as they are bound to vfio-pci; not after the case.
enable_noiommu() {
        modprobe vfio-pci
        [ -e "$NOIOMMU_MODE" ] || skip "this kernel has no no-IOMMU mode"
        trap forget_noiommu EXIT
        echo Y >"$NOIOMMU_MODE"
}
forget_noiommu() {
        echo N >"$NOIOMMU_MODE"
        rm -f "$NOIOMMU_DROP_IN"
        systemctl daemon-reload
}

# bind_by_hand DEVICE: to vfio-pci, which is not vfiod's to do while the device has no group.
bind_by_hand() {
        echo vfio-pci >"/sys/bus/pci/devices/$1/driver_override"
        echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
        echo "$1" >/sys/bus/pci/drivers_probe
        is "$(driver_of "$1")" vfio-pci
}

# has_group DEVICE, has_no_group DEVICE: to wait for.
has_group() { [ -e "/sys/bus/pci/devices/$1/iommu_group" ]; }
has_no_group() { ! has_group "$1"; }

# lists GROUP, lists_not GROUP: vfiod shows it by now, or does not any more.
lists() { vfioctl list | grep -q "^group/$1 "; }
lists_not() { ! lists "$1"; }

# lease_without_iommu DEVICE VERB...: $LEASE_COMMAND leases it and does that. None of the holders in the zoo will do: there is nothing to
# map for DMA.
# shellcheck disable=SC2034 # for the cases
lease_without_iommu() {
        LEASE_COMMAND=(vfioctl exec "$1" -- "$VFIO_USER" --container '{container}' --group '{group}' --lease '{lease}'
                --device "$1={device:$1}" "${@:2}")
}

# hold_without_iommu NAME USER DEVICE: with its registers mapped, until it is ended.
hold_without_iommu() {
        lease_without_iommu "$3" read-bar 8 hold
        background "$1" as "$2" "${LEASE_COMMAND[@]}"
        wait_until 30 said "$1" holding
}

# use_drop_in: the one that is shipped.
use_drop_in() {
        mkdir -p "${NOIOMMU_DROP_IN%/*}"
        cp /usr/share/doc/vfiod/examples/vfiod-noiommu.conf "$NOIOMMU_DROP_IN"
        systemctl daemon-reload
        systemctl reset-failed vfiod.service
        systemctl restart vfiod.service
}
