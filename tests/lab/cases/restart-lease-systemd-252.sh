# SPDX-License-Identifier: LGPL-2.1-or-later
# On Debian 12, whose systemd keeps a service's files over a restart but not over a stop: a lease outlives restarts and crashes, and
# after a stop it drains until its holder lets go, which is said.
# machine: bookworm
# kernels: lab
# time: 240
# kills-vfiod

N=0000:01:00.0
contains "$(systemctl --version | head -n 1)" "systemd 252"
hold_lease $N
before=$(lease_properties)
restart() { systemctl restart vfiod.service; }
for way in restart crash_vfiod; do
        $way
        is "$(lease_properties)" "$before" "the lease is the same after $way"
        refused org.vfiod1.Error.Leased vfioctl unbind $N
done

forget_records
systemctl stop vfiod.service
systemctl start vfiod.service
wait_until 20 records_say "not all of its files outlived the vfiod before this one"
contains "$(lease_properties)" '"draining"'
refused org.vfiod1.Error.Leased vfioctl unbind $N
end_lease
vfioctl unbind $N
is "$(driver_of $N)" e1000e "by what the first vfiod has written down"
