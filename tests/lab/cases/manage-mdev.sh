# SPDX-License-Identifier: LGPL-2.1-or-later
# Mediated devices are made of a parent without an IOMMU group, leased like others, and removed when nobody has them: a lease is named,
# and so is a holder without one. Nothing waits for the kernel meanwhile, and only who may manage the parent makes and removes them.
# kernels: lab
# usually: lab
# time: 400

U=83b8f4f2-509f-382f-3c1e-e6bfe0fa1003
PARENT=/sys/devices/virtual/mtty/mtty
there() { [ -e "/sys/bus/mdev/devices/$1" ]; }
available() { cat "$PARENT/mdev_supported_types/$1/available_instances"; }
told() { vfioctl --json mdev types mtty | python3 -c "import json, sys
for one in json.load(sys.stdin):
    if one['Type'] == '$1':
        print(one['$2'])"; }

refused org.vfiod1.Error.NotFound vfioctl mdev types mtty
is "$(vfioctl --json mdev types | tr -d '[:space:]')" "[]"
modprobe mtty
keep_pinging
is "$(told mtty-2 Available) $(told mtty-2 DeviceApi) $(told mtty-2 Name)" "$(available mtty-2) vfio-pci Dual port serial"
contains "$(vfioctl mdev types)" "mtty-1"

# Made with a UUID, and without.
is "$(vfioctl mdev create mtty mtty-2 ${U^^})" $U "the name of what was made"
there $U || fail "$U is there"
contains "$(vfioctl show $U)" "MdevType: mtty-2"
contains "$(vfioctl show $U)" "MdevParent: mtty"
is "$(told mtty-2 Available)" "$(available mtty-2)"
is "$(told mtty-2 Devices)" "['$U']"
V=$(vfioctl mdev create mtty mtty-1)
there "$V" || fail "$V is there"
[[ $V =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$ ]] || fail "$V is a random UUID"
expect "it is removed" vfioctl mdev remove "$V"
! there "$V" || fail "$V is gone"
refused org.vfiod1.Error.NotFound vfioctl show "$V"

# What is there, is not there, or makes no sense.
refused org.vfiod1.Error.AlreadyExists vfioctl mdev create mtty mtty-2 $U
refused org.vfiod1.Error.NotFound vfioctl mdev create mtty mtty-3
refused org.vfiod1.Error.NotFound vfioctl mdev create mtty ../mtty-1
refused org.vfiod1.Error.NotFound vfioctl mdev create 01:00.0 mtty-1
refused org.vfiod1.Error.InvalidTarget vfioctl mdev create mtty mtty-1 83b8f4f2
refused org.vfiod1.Error.Unsupported vfioctl mdev remove 01:00.0

# For those who may.
allow alice acquire
refused "polkit action org.vfiod1.manage" as alice vfioctl mdev create mtty mtty-1
refused "polkit action org.vfiod1.manage" as alice vfioctl mdev remove $U
allow_device bob mtty manage
W=$(as bob vfioctl mdev create mtty mtty-1)
refused "polkit action org.vfiod1.manage" as bob vfioctl mdev remove "$W"
vfioctl mdev remove "$W"

# Leased: the lease is named, the holder goes on; in both modes.
held() {
        wait_until 30 said owner holding
        refused "(lease " vfioctl mdev remove $U
        refused org.vfiod1.Error.Leased vfioctl mdev remove $U
        there $U || fail "$U is still there"
        finish owner
        wait_until 20 no_leases
        wait_until 15 vfiod_has_no_file
}
background owner as alice vfioctl exec --mode=group $U -- "$VFIO_USER" --container '{container}' --group '{group}' \
        --device "$U={device:$U}" identify map 1 hold
held
background owner as alice vfioctl exec --mode=iommufd $U -- "$VFIO_USER" --iommufd '{iommufd}' --ioas given \
        --cdev "$U={cdev:$U}" identify map 1 hold
held

# Held without a lease, by its group's file and by its cdev: the kernel would wait for as long as that takes.
group=$(readlink "/sys/bus/mdev/devices/$U/iommu_group")
cdev=$(echo "/sys/bus/mdev/devices/$U/vfio-dev/"*)
background outside bash -c "exec sleep 1000 9<>/dev/vfio/${group##*/}"
wait_until 10 is_outside outside
refused org.vfiod1.Error.HeldOutside vfioctl mdev remove $U
finish outside
background outside bash -c "exec sleep 1000 9<>/dev/vfio/devices/${cdev##*/}"
wait_until 10 is_outside outside
refused org.vfiod1.Error.HeldOutside vfioctl mdev remove $U
there $U || fail "$U is still there"
finish outside

# All that there can be, and no more.
made=()
while left=$(available mtty-2) && ((left > 0)); do
        made+=("$(vfioctl mdev create mtty mtty-2)")
done
refused org.vfiod1.Error.Exhausted vfioctl mdev create mtty mtty-2
is "$(told mtty-2 Available)" 0
expect "all of them are removed" vfioctl mdev remove "${made[@]}" $U
is "$(find /sys/bus/mdev/devices -mindepth 1 | wc -l)" 0
rmmod mtty
refused org.vfiod1.Error.NotFound vfioctl mdev create mtty mtty-1
always_answered
