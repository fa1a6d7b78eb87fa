# SPDX-License-Identifier: LGPL-2.1-or-later
# The fds outlive the process that received them: a grandchild that inherited them keeps the lease, and ends it.

N=0000:01:00.0
allow alice acquire bind
background parent as alice vfioctl exec --bind $N -- $VFIO_USER --container '{container}' --device "$N={device:$N}" leave-child hold
wait_until 20 said parent "goes on"
wait_until 10 gone parent
contains "$(vfioctl leases)" "alice"
refused org.vfiod1.Error.Leased vfioctl unbind $N

pkill -TERM -u alice -f "$VFIO_USER"
wait_until 10 vfioctl unbind $N
is "$(driver_of $N)" e1000e
