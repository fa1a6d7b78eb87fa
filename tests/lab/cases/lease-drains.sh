# SPDX-License-Identifier: LGPL-2.1-or-later
# When the last copy of lease_fd is closed the lease is over, but a group that somebody still has open is not given away.

N=0000:01:00.0
allow alice acquire bind
background keeper as alice vfioctl exec --bind $N -- bash -c 'eval "exec $VFIOD_LEASE_FD<&-"; echo closed; exec sleep 100'
wait_until 20 said keeper closed
draining() { [[ $(vfioctl leases) == *draining* ]]; }
wait_until 10 draining
refused org.vfiod1.Error.Leased vfioctl exec $N -- true
refused "a process still has it open" vfioctl unbind $N
finish keeper
wait_until 20 vfioctl unbind $N
is "$(driver_of $N)" e1000e
