# SPDX-License-Identifier: LGPL-2.1-or-later
# A leased device is pulled out: its owner is told by signal and by pipe, vfiod closes its own file of it at once, and when the
# owner lets go device and lease are gone.
# usually: stock

H=0000:04:00.0
keep_pinging
host device_add e1000e,id=hot0,bus=hp1
wait_until 20 present $H
wait_until 20 test -e /sys/bus/pci/devices/$H/driver
hold owner root $H listener
host device_del hot0
wait_until 30 said owner "asked by ReleaseRequested"
wait_until 10 said owner "asked by the lease's pipe"
wait_until 10 vfiod_has_no_device_file
expect "its owner has it still" alive owner
note "lease: $(vfioctl leases | tail -n 1)"
let_go owner
wait_until 30 absent $H
wait_until 10 no_leases
is "$(locked_memory)" 0 "no memory is pinned for DMA"
wait_until 10 vfiod_has_no_file
always_answered
