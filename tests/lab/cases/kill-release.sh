# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever a release is broken off, the lease ends, and the group can be had by others.
# usually: lab
# slow
# time: 1800
# kills-vfiod

N=0000:01:00.0
set_up() {
        vfioctl bind $N
        background holder vfioctl acquire $N
        wait_until 30 said holder lease/
        LEASE=$(grep -o 'lease/[0-9]*' "$WORK/holder.out" | head -n 1)
}
attempt() { vfioctl_once release "${LEASE#lease/}"; }
ends_well() {
        wait_until 30 gone holder
        nothing_is_held
        vfioctl exec $N -- true
        echo asked
}
tear_down() {
        finish holder
        wait_until 30 no_leases
        vfioctl unbind $N
}
kill_everywhere release
