# SPDX-License-Identifier: LGPL-2.1-or-later
# A lease outlives the daemon, however that ends and begins again: its path, its properties, its files and what is mapped through them
# are as before, and in the end the host has its driver back.
# time: 240
# kills-vfiod

N=0000:01:00.0
properties() { busctl --json=short call org.vfiod1 "/org/vfiod1/$LEASE" org.freedesktop.DBus.Properties GetAll s org.vfiod1.Lease; }
# What they are called and which they are, by inode. Their paths are of a daemon's own mounts, which go with it.
files() {
        busctl --json=short call org.vfiod1 "/org/vfiod1/$LEASE" org.vfiod1.Lease GetFds uu 0 0 |
                grep -oE '\["[a-z]+","[^"]*"|"inode":[0-9]+'
}
holders() { vfioctl --json holders $N; }
restart() { systemctl restart vfiod.service; }
stop_and_start() { systemctl stop vfiod.service && systemctl start vfiod.service; }

vfioctl bind $N
begin_user survivor $N
LEASE=$(vfioctl leases | grep -o 'lease/[0-9]*')
before=$(properties)
kept=$(files)
held=$(holders)
contains "$held" "$(pid_of survivor)"
for way in restart stop_and_start crash_vfiod; do
        $way
        is "$(properties)" "$before" "the lease is the same after $way"
        is "$(files)" "$kept" "and so are its files"
        is "$(holders)" "$held" "and its holders"
        refused org.vfiod1.Error.Leased vfioctl unbind $N
done
contains "$(vfioctl list $N)" "$N"

finish survivor >"$WORK/survivor.end"
is "$(grep -c 'config space says' "$WORK/survivor.end")" 2 "the files work as before, and so does what was mapped"
wait_until 30 no_leases
is "$(systemd-analyze fdstore vfiod.service 2>/dev/null | grep -c lease)" 0 "systemd has no file of it any more"
vfioctl unbind $N
is "$(driver_of $N)" e1000e "by what the first daemon has written down"
