# SPDX-License-Identifier: LGPL-2.1-or-later
# A program that was given container and group alone opens the device itself, as DPDK does: it is found and the device taken back.
# time: 120
# usually: lab

N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 1000, "sigkill_grace_ms": 2000}}'
keep_pinging
cat >"$WORK/opener.py" <<'END'
import fcntl
import struct
import sys
import time

SET_IOMMU, SET_CONTAINER, GET_DEVICE_FD, TYPE1V2 = 0x3b66, 0x3b68, 0x3b6a, 3
container, group, device = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
fcntl.ioctl(group, SET_CONTAINER, bytearray(struct.pack("i", container)))
fcntl.ioctl(container, SET_IOMMU, TYPE1V2)
fd = fcntl.ioctl(group, GET_DEVICE_FD, bytearray(device.encode() + b"\0"), True)
print("holding", fd, flush=True)
time.sleep(1000)
END
background owner vfioctl exec --bind --mode=group --prepare=open $N -- python3 "$WORK/opener.py" '{container}' '{group}' $N
wait_until 30 said owner holding

contains "$(holders_of $N)" "container,device,group"
is "$(ref_count $N)" 1
does_not_take_back --wait=1 StillHeld $N
expect "it goes on" alive owner
takes_back --revoke=1 $N
ended_by owner BUS
after_taking_back $N
always_answered
