# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever Assign, which binds too, is broken off, the group is assigned and bound, or neither is written down nor moved.
# usually: lab
# slow
# time: 1800
# kills-vfiod

A=0000:03:01.0 B=0000:03:02.0 FILE=/etc/vfiod/assignments.json
HOST=$(drivers $A $B)
BOUND="$A vfio-pci/vfio-pci $B vfio-pci/vfio-pci "
set_up() { is "$(drivers $A $B)" "$HOST"; }
attempt() { vfioctl_once assign --now $A; }
ends_well() {
        drivers_are "$HOST" "$BOUND" $A $B || return
        [ "$(drivers $A $B)" = "$HOST" ] || [ "$(grep -c '"device"' $FILE)" = 2 ] || fail "what is bound is assigned"
        [ "$(drivers $A $B)" != "$HOST" ] || [ ! -e $FILE ] || fail "what is not bound is not assigned"
}
tear_down() {
        vfioctl unbind $A
        [ ! -e $FILE ] || vfioctl unassign $A
        is "$(drivers $A $B)" "$HOST"
}
kill_everywhere assign
