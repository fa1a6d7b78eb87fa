# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever a revocation is broken off, the holder has its device as before, or the host has it.
# usually: lab
# slow
# time: 1800
# kills-vfiod

N=0000:01:00.0
HOST=$(drivers $N)
configure '{"revoke": {"sigbus_grace_ms": 500, "sigkill_grace_ms": 5000}}'
set_up() {
        vfioctl bind $N
        background holder vfioctl exec --mode=group $N -- "$VFIO_USER" --container '{container}' --device "$N={device:$N}" map 1 hold
        wait_until 30 said holder holding
}
attempt() { vfioctl_once unbind --revoke=0 $N; }
ends_well() {
        if [ "$(drivers $N)" = "$HOST" ]; then
                gone holder || fail "the holder is gone"
                nothing_is_held
                echo asked
        else
                ! gone holder || fail "the holder has its device"
                contains "$(vfioctl --json leases)" '"held"'
                echo found
        fi
}
tear_down() {
        finish holder
        wait_until 30 no_leases
        vfioctl unbind $N
        is "$(drivers $N)" "$HOST"
}
kill_everywhere unbind
