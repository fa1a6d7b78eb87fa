# SPDX-License-Identifier: LGPL-2.1-or-later
# Inspect of a leased device goes through the files of the lease: its holder's device is not reset, and goes on working. A
# receiver that sets up the container by itself is not disturbed either, and not told of before it has done so.
# time: 120

N=0000:01:00.0 S=0000:02:00.0
allow alice acquire bind
hold one alice $N deaf
works one
look_into $N
regions=$(told Regions)
contains "$regions" bar0
is "$(irqs_of msix)" 5
works one
lease_is held
is "$(ref_count $N)" 1
finish one
wait_until 10 no_leases
look_into $N
is "$(told Regions)" "$regions" "the same as of the device that nobody has"

cat >"$WORK/late.py" <<'END'
import fcntl
import struct
import sys

SET_IOMMU, SET_CONTAINER, TYPE1V2 = 0x3b66, 0x3b68, 3
container, group = int(sys.argv[1]), int(sys.argv[2])
print("waiting", flush=True)
sys.stdin.readline()
fcntl.ioctl(group, SET_CONTAINER, bytearray(struct.pack("i", container)))
fcntl.ioctl(container, SET_IOMMU, TYPE1V2)
print("set up", flush=True)
sys.stdin.readline()
END
mkfifo "$WORK/commands"
exec 8<>"$WORK/commands"
background late bash -c 'exec vfioctl exec --bind --prepare open "$1" -- python3 "$2" "{container}" "{group}" <&8' - $S "$WORK/late.py"
wait_until 30 said late waiting
refused "$S is leased to uid 0 (lease 2), who has not set it up yet" inspect root $S
echo go >&8
wait_until 10 said late "set up"
look_into $S
contains "$(told Flags)" pci
lease_is held
echo end >&8
wait_until 20 no_leases
exec 8>&-
vfioctl unbind $N $S
