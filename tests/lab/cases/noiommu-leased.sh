# SPDX-License-Identifier: LGPL-2.1-or-later
# With everything that it takes, a user who may do so leases a device that has no IOMMU and reads its registers, though he could open
# nothing of it himself; nobody else gets it; it is taken back like any other, and so often as it comes.
# machine: no-iommu
# kernels: lab
# time: 180

N=0000:01:00.0
enable_noiommu
configure '{"unsafe_noiommu": true, "revoke": {"sigbus_grace_ms": 500, "sigkill_grace_ms": 3000}}'
use_drop_in
bind_by_hand $N
group=$(group_of $N)
wait_until 20 lists "$group"
since=$(date +%s)

# The one right and not the other.
allow alice acquire
refused org.vfiod1.unsafe-noiommu as alice vfioctl --no-ask-password acquire $N
allow alice acquire bind unbind unsafe-noiommu
allow bob acquire bind unsafe-noiommu
refused "group $group has no IOMMU, and the kernel lets no such device be bound to an iommufd; use mode 'group'" \
        as alice vfioctl acquire --mode=iommufd $N

lease_without_iommu $N group-status identify read-bar 8
words=$(as alice "${LEASE_COMMAND[@]}")
contains "$words" "$N: config space says 8086:10d3"
contains "$words" "$N: BAR 0"
refused "Permission denied" as alice sh -c "exec 9<>/dev/vfio/noiommu-$group"
wait_until 10 no_leases
journalctl --sync
contains "$(journalctl -q --no-pager -o cat -u vfiod.service -p warning --since "@$since")" \
        "acquire $N for uid $(id -u alice): done, without an IOMMU: the holder can read and write all of the host's memory"

# Held, by a program that was given all files.
hold_without_iommu owner alice $N
refused org.vfiod1.Error.Leased as bob vfioctl acquire $N
contains "$(vfioctl leases)" "$group (no IOMMU)"
contains "$(vfioctl --json leases)" '"NoIommu": true'
is "$(holders_of $N | sed 's,/org/vfiod1/lease/[0-9]*,LEASE,')" \
        "$(pid_of owner) $(id -u alice) vfio-user - LEASE container,device,group,lease,mapping"
contains "$(vfioctl inspect $N)" "$N"
refused org.vfiod1.Error.Leased vfioctl unbind $N

# Given back over his head: it is not free while he has it open, and then it is.
vfioctl release "$(vfioctl --json leases | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["Id"])')"
refused "but a process still has it open" as bob vfioctl acquire $N
finish owner
wait_until 20 no_leases

# Taken from a holder who hears nothing.
hold_without_iommu owner alice $N
expect "it is taken back" vfioctl unbind --revoke=1 $N
wait_until 20 gone owner
finish owner
is "$(driver_of $N)" e1000e
expect "the group is gone" has_no_group $N
wait_until 20 lists_not "$group"
wait_until 20 no_leases

# By the administrator's own hand: it comes, and goes.
bind_by_hand $N
group=$(group_of $N)
wait_until 20 lists "$group"
expect "it is leased again" as alice vfioctl exec $N -- true
wait_until 20 no_leases
echo >"/sys/bus/pci/devices/$N/driver_override"
echo $N >"/sys/bus/pci/devices/$N/driver/unbind"
echo $N >/sys/bus/pci/drivers_probe
is "$(driver_of $N)" e1000e
wait_until 20 lists_not "$group"
