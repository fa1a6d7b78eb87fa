# SPDX-License-Identifier: LGPL-2.1-or-later
# The default machine has the IOMMU groups and drivers that the other cases rely on.

is "$(members_of "$(group_of 0000:01:00.0)")" "0000:01:00.0" "the e1000e has a group to itself"
is "$(members_of "$(group_of 0000:02:00.0)")" "0000:02:00.0" "the nvme has a group to itself"
is "$(members_of "$(group_of 0000:03:01.0)")" "0000:00:03.0 0000:03:01.0 0000:03:02.0" "the bridge's group has both e1000"
is "$(members_of "$(group_of 0000:00:10.0)")" "0000:00:10.0 0000:00:10.1" "functions without ACS share a group"
is "$(members_of "$(group_of 0000:00:04.0)")" "0000:00:04.0" "the slot for hotplug is empty"

is "$(driver_of 0000:01:00.0)" e1000e
is "$(driver_of 0000:02:00.0)" nvme
is "$(driver_of 0000:03:01.0)" e1000
is "$(driver_of 0000:03:02.0)" e1000
is "$(driver_of 0000:00:03.0)" none "shpchp leaves the bridge alone"
is "$(driver_of 0000:00:10.1)" none
is "$(override_of 0000:03:01.0)" none

expect "udev, the bus and polkit are up" busctl --quiet status org.freedesktop.PolicyKit1
case $LAB_KERNEL in
stock) expect "Debian's kernel has no iommufd" test ! -e /dev/iommu ;;
lab | newest) expect "the lab's configuration has iommufd" test -c /dev/iommu ;;
esac
