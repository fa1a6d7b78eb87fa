# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever an acquisition is broken off that binds, too, there is no lease, and the devices are as they were.
# usually: lab
# slow
# time: 1800
# kills-vfiod

A=0000:03:01.0 B=0000:03:02.0
[ -n "${KILL_MODE:-}" ] || KILL_MODE=group
FOUND=$(drivers $A $B)
set_up() { is "$(drivers $A $B)" "$FOUND"; }
attempt() { vfioctl_once exec --bind --mode=$KILL_MODE $A $B -- true; }
ends_well() {
        nothing_is_held
        drivers_are "$FOUND" "" $A $B
}
tear_down() {
        wait_until 20 no_leases
        vfioctl unbind $A
}
kill_everywhere acquire
kill_recovery acquire
