# SPDX-License-Identifier: LGPL-2.1-or-later
# Assign writes a group down with what sits at its addresses, the serial number too, which vfiod asks udev for, and moves nothing;
# a device that is added then is on vfio-pci before its own driver can have it. Unassign ends that. What Bind refuses is refused.
# time: 180

N=0000:01:00.0 FILE=/etc/vfiod/assignments.json
# again ADDRESS: takes the device out and finds it again, with its own driver not loaded, as at a boot.
again() {
        echo 1 >"/sys/bus/pci/devices/$1/remove"
        modprobe -r e1000e
        echo 1 >/sys/bus/pci/rescan
        udevadm settle
}
on_vfio() { [ "$(driver_of $N)" = vfio-pci ]; }
field() { sed -n "s/.*\"$1\": \"\(.*\)\".*/\1/p" $FILE; }

refused org.vfiod1.Error.HostDevice vfioctl assign 0000:00:1f.2
refused "must authenticate to do this to $N (polkit action org.vfiod1.assign)" as alice vfioctl assign $N
allow alice assign
words=$(as alice vfioctl assign $N 2>&1)
contains "$words" "assigned from the next boot on"
cat $FILE
is "$(driver_of $N) $(override_of $N)" "e1000e none" "nothing moves now"
is "$(stat -c '%a %U' $FILE)" "644 root"
is "$(field device) $(field id) $(field driver)" "$N 8086:10d3 vfio-pci"
is "$(field serial)" 52-54-00-ff-ff-12-34-56 "the number that QEMU makes of the address of the network"
is "$(udevadm info --query=property --property=VFIOD_SERIAL --value /sys/bus/pci/devices/$N)" "$(field serial)"
contains "$(vfioctl list $N)" "assigned, but on e1000e: 'vfioctl bind $N' moves it"

again $N
wait_until 20 on_vfio
is "$(override_of $N)" vfio-pci
contains "$(vfioctl list $N)" "(assigned) "
is "$(udevadm info --query=property --property=VFIOD_ASSIGNMENT --value /sys/bus/pci/devices/$N)" assigned
note "assigned: $(udevadm info --query=property --property=VFIOD_SERIAL --value /sys/bus/pci/devices/$N)"

# Back to its driver until the next boot.
words=$(vfioctl unbind $N 2>&1)
contains "$words" "$N stays assigned"
wait_until 20 test -e /sys/bus/pci/devices/$N/driver
is "$(driver_of $N) $(override_of $N)" "e1000e none"
udevadm trigger --action=add /sys/bus/pci/devices/$N && udevadm settle
is "$(driver_of $N) $(override_of $N)" "e1000e none" "a device that a driver has is not taken from it"
contains "$(dmesg)" "vfiod-assigned: $N is assigned to vfio-pci, but e1000e has it already"

as alice vfioctl unassign $N
is "$(vfioctl --json show $N | sed -n 's/.*"Assignment": "\(.*\)".*/\1/p')" ""
[ ! -e $FILE ] || fail "with the last assignment the file goes"
again $N
wait_until 20 test -e /sys/bus/pci/devices/$N/driver
is "$(driver_of $N) $(override_of $N)" "e1000e none"

# Bound now, too; a group of two, of conventional PCI.
vfioctl assign --now 0000:03:01.0
is "$(driver_of 0000:03:01.0) $(driver_of 0000:03:02.0)" "vfio-pci vfio-pci"
is "$(field device | paste -sd ' ') $(field serial)" "0000:03:01.0 0000:03:02.0 " "neither has a serial number"
vfioctl unbind 0000:03:01.0
vfioctl unassign 0000:03:02.0
