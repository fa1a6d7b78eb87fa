# SPDX-License-Identifier: LGPL-2.1-or-later
# Who has opened the devices of two groups itself, and closes those of the group that is asked for, lives on with the other.
# time: 120
# usually: stock

S=0000:02:00.0 N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 1000, "sigkill_grace_ms": 2000}}'
cat >"$WORK/polite.py" <<'END'
import fcntl
import os
import select
import struct
import sys
import time

SET_IOMMU, SET_CONTAINER, GET_DEVICE_FD, TYPE1V2 = 0x3b66, 0x3b68, 0x3b6a, 3
lease, container, groups, devices = int(sys.argv[1]), int(sys.argv[2]), [int(fd) for fd in sys.argv[3:5]], sys.argv[5:7]
for group in groups:
    fcntl.ioctl(group, SET_CONTAINER, bytearray(struct.pack("i", container)))
fcntl.ioctl(container, SET_IOMMU, TYPE1V2)
fds = [fcntl.ioctl(group, GET_DEVICE_FD, bytearray(device.encode() + b"\0"), True) for group, device in zip(groups, devices)]
print("holding", flush=True)
select.select([lease], [], [])
os.read(lease, 1)
os.close(fds[0])
os.fstat(fds[1])
print("gave back what was asked", flush=True)
time.sleep(1000)
END

for option in --wait=40 --revoke=20; do
        background owner vfioctl exec --bind --mode=group --prepare=open $S $N -- python3 "$WORK/polite.py" '{lease}' '{container}' \
                "{group:$(group_of $S)}" "{group:$(group_of $N)}" $S $N
        wait_until 30 said owner holding
        takes_back $option $S
        took_less_than 15000
        expect "it was asked" said owner "gave back what was asked"
        expect "it lives" alive owner
        is "$(driver_of $S) $(driver_of $N)" "nvme vfio-pci"
        contains "$(holders_of $N)" "container,device,group,lease"
        finish owner
        wait_until 15 no_leases
        vfioctl unbind $N
        after_taking_back $S $N
done
