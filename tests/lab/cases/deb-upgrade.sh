# SPDX-License-Identifier: LGPL-2.1-or-later
# An upgrade to a higher version under a live lease: the new daemon has its lease, and the files of it; so has the one of a
# version before, after a downgrade. One that does not run is left alone.
# machine: debian
# usually: stock
# time: 300

N=0000:01:00.0
without_packages
installs "$DEBS"
lacks "$SAID" "vfiod goes on" "there is nothing to tell of a daemon that does not run"
version=$(dpkg-query -W -f '${Version}' vfiod)
vfioctl bind $N
background holder vfioctl exec --label survivor $N -- $VFIO_USER --container '{container}' --device "$N={device:$N}" \
        identify map 1 hold identify unmap
wait_until 30 said holder holding
lease=$(vfioctl leases | grep -o 'lease/[0-9]*')
pid=$(main_pid)

installs "$DEBS/next"
is "$(dpkg-query -W -f '${Version}' vfiod)" "$version+1"
refused "" [ "$(main_pid)" = "$pid" ]
is "$(readlink "/proc/$(main_pid)/exe")" /usr/libexec/vfiod "it is the new version that runs"
expect "the socket is still there" systemctl is-active vfiod.socket
contains "$(vfioctl leases)" "$lease" "the new daemon has the lease"
contains "$(vfioctl --socket leases)" held
contains "$(busctl call org.vfiod1 "/org/vfiod1/$lease" org.vfiod1.Lease GetFds uu 0 0)" '"container" ""' "GetFds answers"
refused org.vfiod1.Error.Leased vfioctl unbind $N

finish holder >"$WORK/holder.end"
is "$(grep -c 'config space says' "$WORK/holder.end")" 2 "the files work as before, and so does what was mapped"
wait_until 15 no_leases

# The driver that the device came from is known to a third daemon, of the version before.
installs "$DEBS"
vfioctl unbind $N
is "$(driver_of $N)" e1000e
systemctl stop vfiod.service
installs "$DEBS/next"
is "$(main_pid)" 0 "a daemon that does not run is not started"
without_packages
