# SPDX-License-Identifier: LGPL-2.1-or-later
# A leased group is refused to everybody else, in words that say who has it, and to its own owner a second time.

A=0000:03:01.0
group=$(group_of $A)
allow alice acquire bind
allow bob acquire bind unbind
background holder as alice vfioctl acquire --bind --label demo $A
wait_until 20 said holder lease/

refused org.vfiod1.Error.Leased as bob vfioctl exec "group/$group" -- true
refused "leased to uid $(id -u alice) (lease 1 for 'demo')" as bob vfioctl exec $A -- true
refused org.vfiod1.Error.Leased as alice vfioctl exec 0000:03:02.0 -- true
refused org.vfiod1.Error.Leased vfioctl exec $A -- true
refused org.vfiod1.Error.Leased as bob vfioctl unbind $A
refused org.vfiod1.Error.Leased as bob vfioctl bind $A
is "$(driver_of $A)" vfio-pci

finish holder
vfioctl unbind $A
