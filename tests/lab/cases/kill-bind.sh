# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever a bind is broken off, the devices of the group end as they were found or as was asked.
# usually: lab
# time: 1800
# kills-vfiod

A=0000:03:01.0 B=0000:03:02.0
FOUND=$(drivers $A $B)
ASKED="$A vfio-pci/vfio-pci $B vfio-pci/vfio-pci "
set_up() { is "$(drivers $A $B)" "$FOUND"; }
attempt() { vfioctl_once bind $A; }
ends_well() { drivers_are "$FOUND" "$ASKED" $A $B; }
tear_down() { vfioctl unbind $A; }
kill_everywhere bind
kill_recovery bind
