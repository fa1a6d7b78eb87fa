# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of the state file is full: that is said once, and vfiod goes on. A lease that was written down before goes on over a
# restart; one that was not is over then, and endangers nobody. When there is room again the state is written.
# time: 300

N=0000:01:00.0
fill() {
        dd if=/dev/zero of=/run/vfiod/filler bs=4k 2>/dev/null || true
}

small_disk
hold_lease $N
before=$(lease_properties)
fill
forget_records
systemctl restart vfiod.service
wait_until 10 records_say "the state could not be written: No space left on device"
is "$(lease_properties)" "$before" "the lease is the same"
end_lease
is "$(records | grep -c 'the state could not be written')" 1
rm /run/vfiod/filler
wait_until 70 records_say "the state can be written again"
vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "e1000e none"

fill
forget_records
hold_lease $N
expect "it is said" records_say "the state could not be written: No space left on device"
systemctl restart vfiod.service
wait_until 10 records_say "of leases that nothing is known of were closed"
refused org.vfiod1.Error.HeldOutside vfioctl exec $N -- true
is "$(driver_of $N)" vfio-pci
end_lease
wait_until 20 vfioctl unbind $N
is "$(driver_of $N) $(override_of $N)" "e1000e none"
small_disk_off
