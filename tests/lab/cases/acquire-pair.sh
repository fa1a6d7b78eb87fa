# SPDX-License-Identifier: LGPL-2.1-or-later
# A user who may do so binds a two-device group and uses both devices: ids, DMA mapping, BAR; the lease ends with the program.

A=0000:03:01.0 B=0000:03:02.0
group=$(group_of $A)
allow alice acquire bind unbind

as alice vfioctl bind "group/$group"
is "$(driver_of $A) $(driver_of $B)" "vfio-pci vfio-pci"
is "$(override_of $A)" vfio-pci
words=$(as alice vfioctl exec "group/$group" -- $VFIO_USER --container '{container}' --group '{group}' \
        --device "$A={device:$A}" --device "$B={device:$B}" group-status identify map 2 unmap read-bar 8)
contains "$words" "$A: config space says 8086:100e"
contains "$words" "$B: config space says 8086:100e"
contains "$words" "2 MiB mapped"
contains "$words" "$B: BAR 0"

no_leases() { [ "$(vfioctl --json leases)" = "[]" ]; }
wait_until 10 no_leases
as alice vfioctl unbind "group/$group"
is "$(driver_of $A) $(driver_of $B)" "e1000 e1000"
is "$(override_of $A) $(override_of $B)" "none none"
