# SPDX-License-Identifier: LGPL-2.1-or-later
# Reset, by what the devices' own registers say: of a device that nobody has, by a method whose choice does not last, and for the owner
# of a lease, whose files go on working. What the host, or somebody else, has is not reset, and neither is a bus without its other device.
# time: 120

N=0000:01:00.0 A=0000:03:01.0 B=0000:03:02.0
methods_of() { cat "/sys/bus/pci/devices/$1/reset_method"; }

# A register of Intel's network devices, of a queue that nothing uses meanwhile: RDBAL, through the window of the I/O BAR (82574
# datasheet, "I/O mapped access").
cat >"$WORK/register.py" <<'END'
import os
import struct
import sys

fd = os.open(f"/sys/bus/pci/devices/{sys.argv[1]}/resource2", os.O_RDWR)
os.pwrite(fd, struct.pack("<I", 0x2800), 0)
if len(sys.argv) > 2:
    os.pwrite(fd, struct.pack("<I", int(sys.argv[2], 16)), 4)
print(hex(struct.unpack("<I", os.pread(fd, 4, 4))[0]))
END
register() { python3 "$WORK/register.py" "$@"; }

# Without a driver.
echo $N >/sys/bus/pci/drivers/e1000e/unbind
echo 1 >/sys/bus/pci/devices/$N/enable
before=$(methods_of $N)
note "reset methods: $N: $before; $A: $(methods_of $A || true); $B: $(methods_of $B || true)"
# What QEMU's devices forget by power management is their own affair.
for method in "" pm; do
        expect "a reset by '${method:-any}'" vfioctl reset $N ${method:+--method="$method"}
        is "$(methods_of $N)" "$before"
done
is "$(register $N 0x12340)" 0x12340
# An emulated link that does not come up in time makes the kernel say that this has not worked; the device has been reset by then.
vfioctl reset $N --method=bus >"$WORK/bus" 2>&1 || contains "$(<"$WORK/bus")" "none of its reset methods has worked"
is "$(register $N)" 0x0 "the register after a reset of the bus"
is "$(methods_of $N)" "$before"
is "$(register $N 0x12340)" 0x12340
refused "has no reset method 'no-such'; it has ${before// /, }" vfioctl reset $N --method=no-such
is "$(register $N)" 0x12340 "the register after a refusal"
echo 0 >/sys/bus/pci/devices/$N/enable
echo $N >/sys/bus/pci/drivers/e1000e/bind

# What the host uses; what is no PCI device, or a bridge.
refused "$N is bound to e1000e, and in use by the host" vfioctl reset $N
refused "is a bridge" vfioctl reset 00:01.0

# Leased: for the owner alone.
allow alice acquire bind
allow bob reset
hold one alice $N deaf
works one
refused "leased to uid" as bob vfioctl reset $N
refused "leased to uid" vfioctl reset $N
expect "the owner resets it" as alice vfioctl reset $N
works one
is "$(methods_of $N)" "$before"
finish one
wait_until 10 no_leases
expect "now bob may" as bob vfioctl reset $N
refused "Access denied" as carol busctl call org.vfiod1 /org/vfiod1/device/_30000_3a01_3a00_2e0 org.vfiod1.Device Reset s ""
vfioctl unbind $N

# Held by a process without a lease.
vfioctl bind $A
background outside bash -c "exec sleep 1000 9<>/dev/vfio/$(group_of $A)"
wait_until 10 is_outside outside
refused "open in a process that has no lease of it" vfioctl reset $A --method=hot
finish outside

# Two devices behind one bridge: hot or not at all. The bridge of their group is above both, and not reset with them.
expect "a hot reset of both" vfioctl reset $A --method=hot
if [[ " $(methods_of $A) " == *" bus "* ]]; then
        refused "a reset of the bus of $A is one of $B" vfioctl reset $A --method=bus
fi
allow alice acquire bind
hold two alice $A deaf
works two
expect "the owner of both resets both" as alice vfioctl reset $A --method=hot
works two
finish two
wait_until 10 no_leases
vfioctl unbind $A
refused "bound to e1000" vfioctl reset $A --method=hot
