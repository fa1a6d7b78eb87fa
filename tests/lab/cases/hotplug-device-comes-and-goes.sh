# SPDX-License-Identifier: LGPL-2.1-or-later
# A device added to a running machine gets a group of its own, and both are gone when it is taken out.

host device_add e1000e,id=hot0,bus=hp1
wait_until 20 present 0000:04:00.0
wait_until 20 test -e /sys/bus/pci/devices/0000:04:00.0/driver
is "$(members_of "$(group_of 0000:04:00.0)")" "0000:04:00.0"
is "$(driver_of 0000:04:00.0)" e1000e

host device_del hot0
wait_until 20 absent 0000:04:00.0
