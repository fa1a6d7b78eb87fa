# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever an unbind is broken off, the devices of the group end as they were found or as was asked.
# usually: lab
# time: 1800
# kills-vfiod

A=0000:03:01.0 B=0000:03:02.0
HOST=$(drivers $A $B)
BOUND="$A vfio-pci/vfio-pci $B vfio-pci/vfio-pci "
set_up() { vfioctl bind $A; }
attempt() { vfioctl_once unbind $A; }
ends_well() { drivers_are "$BOUND" "$HOST" $A $B; }
tear_down() {
        vfioctl unbind $A
        is "$(drivers $A $B)" "$HOST"
}
kill_everywhere unbind
kill_recovery unbind
