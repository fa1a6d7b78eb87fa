# SPDX-License-Identifier: LGPL-2.1-or-later
# The directory of the state file becomes read-only: that is said once, and when it can be written again it is. A start meanwhile
# goes on with the leases that were written down.
# time: 300

N=0000:01:00.0 A=0000:03:01.0
is_empty_state() { [[ $(<$STATE) == *'"leases":[],"originals":[]'* ]]; }
small_disk
hold_lease $N
before=$(lease_properties)
mount -o remount,ro /run/vfiod
forget_records
vfioctl bind $A
wait_until 10 records_say "the state could not be written: Read-only file system"
contains "$(vfioctl list $A)" "bound"
mount -o remount,rw /run/vfiod
wait_until 70 records_say "the state can be written again"
is "$(records | grep -c 'the state could not be written')" 1
contains "$(<$STATE)" $A

mount -o remount,ro /run/vfiod
forget_records
systemctl restart vfiod.service
wait_until 10 records_say "the state could not be written: Read-only file system"
is "$(lease_properties)" "$before" "the lease is the same"
refused org.vfiod1.Error.Leased vfioctl unbind $N
end_lease
wait_until 20 vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "e1000e none"
vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(records | grep -c 'the state could not be written')" 1

# What is written down is of long ago now, and does no harm. The service has made its own mounts while it was read-only.
mount -o remount,rw /run/vfiod
systemctl restart vfiod.service
wait_until 20 no_leases
is "$(driver_of $N) $(driver_of $A)" "e1000e e1000"
wait_until 10 is_empty_state
small_disk_off
