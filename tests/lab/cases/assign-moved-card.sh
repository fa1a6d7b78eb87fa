# SPDX-License-Identifier: LGPL-2.1-or-later
# Another card in the slot, of the same model or not, is left to its own driver, and that is said and shown; the card that was
# assigned is taken when it is back. An override of somebody else stays.
# time: 180

N=0000:04:00.0
# plug MODEL,OPTIONS: a card into the empty slot.
plug() {
        host device_add "$1,id=hot0,bus=hp1"
        wait_until 30 present $N
        udevadm settle
}
unplug() {
        host device_del hot0
        wait_until 30 absent $N
}

plug e1000e,mac=52:54:00:aa:00:01
wait_until 20 test -e /sys/bus/pci/devices/$N/driver
vfioctl assign $N
unplug

# The same one: where its driver is loaded already it is quicker than udev, so that is not.
modprobe -r e1000e
plug e1000e,mac=52:54:00:aa:00:01
wait_until 20 test -e /sys/bus/pci/devices/$N/driver
is "$(driver_of $N)" vfio-pci
unplug

modprobe -r e1000e
plug e1000e,mac=52:54:00:aa:00:02
wait_until 20 test -e /sys/bus/pci/devices/$N/driver
is "$(driver_of $N) $(override_of $N)" "e1000e none"
contains "$(vfioctl list $N)" "mismatch: $N has the serial number 52-54-00-ff-ff-aa-00-02"
contains "$(dmesg)" "vfiod-assigned: $N has the serial number 52-54-00-ff-ff-aa-00-02, and one with 52-54-00-ff-ff-aa-00-01"
contains "$(journalctl --no-pager -k)" "vfiod-assigned: $N has the serial number" "the journal has it"
unplug

modprobe -r e1000e
plug nvme,serial=another
contains "$(vfioctl list $N)" "mismatch: $N is 1b36:0010, and 8086:10d3 was assigned"
is "$(override_of $N)" none
# What is not there any more can be unassigned.
unplug
vfioctl unassign $N
refused org.vfiod1.Error.NotFound vfioctl unassign $N
[ ! -e /etc/vfiod/assignments.json ] || fail "nothing is assigned any more"
modprobe e1000e
wait_until 20 test -e /sys/bus/pci/devices/0000:01:00.0/driver
