# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever Unassign is broken off, the group is assigned as before, or not at all.
# usually: lab
# slow
# time: 1800
# kills-vfiod

A=0000:03:01.0 B=0000:03:02.0 FILE=/etc/vfiod/assignments.json
HOST=$(drivers $A $B)
set_up() { vfioctl assign $A; }
attempt() { vfioctl_once unassign $A; }
ends_well() {
        is "$(drivers $A $B)" "$HOST"
        if [ ! -e $FILE ]; then
                echo asked
        else
                is "$(grep -c '"device"' $FILE)" 2 "both are assigned"
                echo found
        fi
}
tear_down() { [ ! -e $FILE ] || vfioctl unassign $A; }
kill_everywhere unassign
