# SPDX-License-Identifier: LGPL-2.1-or-later
# A leased device is pulled out: it goes when its holder lets go, the lease with it, and nothing of it is left.

host device_add e1000e,id=hot0,bus=hp1
H=0000:04:00.0
wait_until 20 present $H
wait_until 20 test -e /sys/bus/pci/devices/$H/driver
known() { [[ $(vfioctl list) == *$H* ]]; }
wait_until 10 known
background holder vfioctl exec --bind $H -- $VFIO_USER --container '{container}' --device "$H={device:$H}" map 1 hold
wait_until 20 said holder mapped
host device_del hot0
sleep 7
contains "$(vfioctl leases)" lease/1
expect "everybody is answered meanwhile" timeout 30 vfioctl list
finish holder
wait_until 30 absent $H
unknown() { ! known; }
wait_until 10 unknown
no_leases() { [ "$(vfioctl --json leases)" = "[]" ]; }
wait_until 10 no_leases
