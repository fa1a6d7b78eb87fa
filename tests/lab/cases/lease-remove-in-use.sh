# SPDX-License-Identifier: LGPL-2.1-or-later
# A group whose device the holder still has open cannot be removed from the lease; the lease is as it was, and works.

N=0000:01:00.0 S=0000:02:00.0
call() { busctl call org.vfiod1 /org/vfiod1/lease/1 org.vfiod1.Lease "$@"; }
background holder vfioctl exec --bind $N $S -- $VFIO_USER --container '{container}' --device "$N={device:$N}" --device "$S={device:$S}" map 1 hold
wait_until 20 said holder mapped
refused "still open" call Remove as 1 $S
contains "$(call GetFds uu 0 0)" '"device" "0000:02:00.0"' "vfiod opened the device again"
contains "$(vfioctl --json leases)" $S
finish holder
vfioctl unbind $N $S
