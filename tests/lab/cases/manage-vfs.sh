# SPDX-License-Identifier: LGPL-2.1-or-later
# Virtual functions are made and removed by the device's own driver: as many as are asked for, without host drivers where that is asked,
# and leased like any other device. Those that somebody has are not removed, and nobody else's calls wait.
# machine: many
# kernels: lab stock
# usually: lab
# time: 400

P=
for path in /sys/bus/pci/drivers/nvme/0000:*; do
        if [ -e "$path/sriov_totalvfs" ]; then
                P=${path##*/}
                break
        fi
done
[ "$P" ] || fail "an NVMe controller can have virtual functions"
present_vfs() { cat "/sys/bus/pci/devices/$P/sriov_numvfs"; }
autoprobe() { cat "/sys/bus/pci/devices/$P/sriov_drivers_autoprobe"; }
function_of() { readlink "/sys/bus/pci/devices/$P/virtfn$1" | sed 's|.*/||'; }
told() { vfioctl --json vfs "$P" | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
total=$(cat "/sys/bus/pci/devices/$P/sriov_totalvfs")
is "$(told TotalVfs) $(told NumVfs) $(told VfsAutoprobe)" "$total 0 True"

# Made: known when the command is over, on no driver, and no driver has tried.
keep_pinging
expect "four functions" vfioctl vfs --autoprobe=no "$P" 4
is "$(present_vfs) $(autoprobe)" "4 0"
is "$(told NumVfs) $(told VfsAutoprobe)" "4 False"
F=$(function_of 0) G=$(function_of 1)
contains "$(vfioctl show "$F")" "PhysicalFunction: $P"
contains "$(vfioctl vfs "$P")" "4 of $total virtual functions, which host drivers do not take"
for i in 0 1 2 3; do
        is "$(driver_of "$(function_of $i)")" none
done
# A driver that comes when they are there does not take them either.
id="$(<"/sys/bus/pci/devices/$F/vendor") $(<"/sys/bus/pci/devices/$F/device")"
modprobe pci-stub 2>/dev/null || [ -e /sys/bus/pci/drivers/pci-stub ]
echo "$id" >/sys/bus/pci/drivers/pci-stub/new_id
is "$(driver_of "$F") $(driver_of "$G")" "none none"

# What the kernel does not do, or has no more of.
unchanged refused org.vfiod1.Error.AlreadyExists vfioctl vfs "$P" 5
unchanged refused org.vfiod1.Error.Exhausted vfioctl vfs "$P" $((total + 1))
unchanged refused org.vfiod1.Error.Unsupported vfioctl vfs "$F" 1
unchanged refused org.vfiod1.Error.Unsupported vfioctl vfs 01:00.0 1
is "$(present_vfs)" 4
expect "as many as there are" vfioctl vfs "$P" 4
is "$(function_of 0)" "$F"

# For those who may.
allow alice acquire bind
unchanged refused "polkit action org.vfiod1.manage" as alice vfioctl vfs "$P" 0
allow_device bob "$P" manage
is "$(present_vfs)" 4

# Leased, and taken away by nobody; not even where the command asks for others.
vfioctl bind "$F"
unchanged refused org.vfiod1.Error.InUse as bob vfioctl vfs "$P" 0
hold one alice "$F" deaf
works one
refused "$F (leased to uid $(id -u alice)" as bob vfioctl vfs "$P" 0
refused org.vfiod1.Error.Leased as bob vfioctl vfs --recreate "$P" 2
is "$(present_vfs)" 4
works one
finish one
wait_until 10 no_leases
vfioctl unbind "$F"
is "$(driver_of "$F")" none

# The device itself goes to nobody while it has functions that somebody uses.
vfioctl bind "$G"
refused "vfioctl vfs $P 0" vfioctl bind "$P"
vfioctl unbind "$G"

# Others, by one who has the right for this device alone; then none, and host drivers as before.
expect "two others" as bob vfioctl vfs --recreate "$P" 2
is "$(present_vfs) $(told NumVfs)" "2 2"
expect "none" as bob vfioctl vfs --autoprobe=yes "$P" 0
is "$(present_vfs) $(autoprobe)" "0 1"
is "$(told NumVfs)" 0
refused org.vfiod1.Error.NotFound vfioctl show "$F"
[ ! -e "/sys/bus/pci/devices/$F" ] || fail "$F is gone"

# With autoprobe, host drivers take them. (QEMU's have no queues, so nvme does not.)
expect "one, for host drivers" vfioctl vfs "$P" 1
is "$(driver_of "$F")" pci-stub
expect "none" vfioctl vfs "$P" 0
echo "$id" >/sys/bus/pci/drivers/pci-stub/remove_id

# On a vfio driver there is nobody to make them.
vfioctl bind "$P"
refused org.vfiod1.Error.Unsupported vfioctl vfs "$P" 1
vfioctl unbind "$P"
is "$(driver_of "$P")" nvme
always_answered
