# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever Lease.Remove is broken off, the lease goes on with the rest, and the device can be had by others.
# usually: lab
# slow
# time: 1800
# kills-vfiod

N=0000:01:00.0 S=0000:02:00.0
set_up() {
        vfioctl bind $N $S
        background holder vfioctl exec --mode=group $N -- "$VFIO_USER" --container '{container}' --device "$N={device:$N}" map 1 hold
        wait_until 30 said holder holding
        LEASE=$(vfioctl leases | grep -o 'lease/[0-9]*')
        # Its files are the caller's, who has gone: in the holder no device of it is open.
        busctl call org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease Add 'asa{sv}' 1 $S 0
}
attempt() { busctl call org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease Remove as 1 $S; }
ends_well() {
        is "$(busctl get-property org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease State)" 's "held"'
        is "$(busctl get-property org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease Groups)" "au 1 $(group_of $N)"
        ! gone holder || fail "the holder goes on"
        echo asked
}
tear_down() {
        finish holder
        wait_until 30 no_leases
        vfioctl unbind $N $S
        nothing_is_held
}
kill_everywhere remove
