# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever Lease.Add is broken off, the lease has what it had, and the new device is as it was.
# usually: lab
# slow
# time: 1800
# kills-vfiod

N=0000:01:00.0 A=0000:03:01.0 B=0000:03:02.0
FOUND=$(drivers $A $B)
set_up() {
        vfioctl bind $N
        background holder vfioctl exec --mode=group $N -- "$VFIO_USER" --container '{container}' --device "$N={device:$N}" map 1 hold
        wait_until 30 said holder holding
        LEASE=$(vfioctl leases | grep -o 'lease/[0-9]*')
}
attempt() { busctl call org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease Add 'asa{sv}' 1 $A 1 bind b true; }
ends_well() {
        is "$(busctl get-property org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease State)" 's "held"'
        is "$(busctl get-property org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease Groups)" "au 1 $(group_of $N)"
        ! gone holder || fail "the holder goes on"
        drivers_are "$FOUND" "" $A $B
}
tear_down() {
        finish holder
        wait_until 30 no_leases
        vfioctl unbind $N $A
        nothing_is_held
}
kill_everywhere add
