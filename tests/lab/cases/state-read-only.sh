# SPDX-License-Identifier: LGPL-2.1-or-later
# The directory of the state file becomes read-only: that is said once, leases go on over a restart, and when it can be written
# again it is.
# time: 300

N=0000:01:00.0
small_disk
hold_lease $N
before=$(lease_properties)
mount -o remount,ro /run/vfiod
forget_records
systemctl restart vfiod.service
wait_until 10 records_say "the state could not be written: Read-only file system"
is "$(lease_properties)" "$before" "the lease is the same"
refused org.vfiod1.Error.Leased vfioctl unbind $N
end_lease
wait_until 20 vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "e1000e none"
is "$(records | grep -c 'the state could not be written')" 1
mount -o remount,rw /run/vfiod
wait_until 70 records_say "the state can be written again"
lacks "$(<$STATE)" '"id"' "it has no lease any more"
small_disk_off
