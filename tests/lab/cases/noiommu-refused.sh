# SPDX-License-Identifier: LGPL-2.1-or-later
# A group that the kernel has made up for a device without an IOMMU is shown as such and given to nobody, root included, unless the
# configuration says so; and then vfiod needs a capability that its unit does not have, which is told with the remedy.
# machine: no-iommu
# kernels: lab
# time: 120

N=0000:01:00.0
enable_noiommu
is "$(vfioctl --json list | tr -d ' \n')" '{"Groups":[],"Devices":[],"Leases":[]}'
bind_by_hand $N
group=$(group_of $N)
wait_until 20 lists "$group"
contains "$(vfioctl list)" "group/$group  bound  no-iommu"
contains "$(dmesg)" "Adding kernel taint for vfio-noiommu group"

why="$N has no IOMMU: group $group is one of the kernel's unsafe no-IOMMU mode"
allow alice acquire unsafe-noiommu bind inspect
for user in alice root; do
        refused "$why" as $user vfioctl acquire $N
        refused "sets unsafe_noiommu in vfiod.json, and allows org.vfiod1.unsafe-noiommu" as $user vfioctl acquire --bind $N
        refused "$why" as $user vfioctl inspect $N
done
status=0
words=$(vfioctl explain $N) || status=$?
is "$status" 1 "explain says no"
contains "$words" "group/$group: cannot be acquired"
words=$(vfioctl --json explain $N) || true
contains "$words" "has no IOMMU: whoever has it can read and write all of the host's memory"
contains "$words" "unless an administrator sets unsafe_noiommu in vfiod.json"

# Allowed by the configuration, and not by the unit.
configure '{"unsafe_noiommu": true}'
systemctl reload vfiod.service
can_be_acquired() { vfioctl explain $N >/dev/null; }
wait_until 10 can_be_acquired
lacks " $(systemctl show --value --property=CapabilityBoundingSet vfiod.service) " " cap_sys_rawio "
for verb in acquire inspect unbind; do
        refused "drop-in vfiod-noiommu.conf (see vfiod(8))" vfioctl "$verb" $N
done
is "$(vfioctl --json leases)" "[]"
is "$(driver_of $N)" vfio-pci
use_drop_in
contains " $(systemctl show --value --property=CapabilityBoundingSet vfiod.service) " " cap_sys_rawio "
contains "$(vfioctl inspect $N)" "$N"

# The group goes with its device's vfio driver, by vfiod's doing.
vfioctl unbind $N
is "$(driver_of $N)" e1000e
is "$(override_of $N)" none
expect "the group is gone" has_no_group $N
wait_until 20 lists_not "$group"
refused "$N is in no IOMMU group" vfioctl unbind $N
