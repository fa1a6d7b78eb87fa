# SPDX-License-Identifier: LGPL-2.1-or-later
# A group joins a live container and leaves it again; what is in use cannot leave; the last group leaves by release alone.

N=0000:01:00.0 S=0000:02:00.0
call() { busctl call org.vfiod1 /org/vfiod1/lease/1 org.vfiod1.Lease "$@"; }
vfioctl bind $N $S
background holder vfioctl exec $N -- $VFIO_USER --container '{container}' --device "$N={device:$N}" map 1 hold
wait_until 20 said holder mapped

contains "$(call Add 'asa{sv}' 1 $S 0)" '"device" "0000:02:00.0"'
contains "$(vfioctl --json leases)" $S
refused leased call Add 'asa{sv}' 1 $S 0
contains "$(call GetFds uu 0 0)" '5' "five files in all"
call Remove as 1 $S
lacks "$(vfioctl --json leases)" $S
vfioctl unbind $S
is "$(driver_of $S)" nvme

refused "no group left" call Remove as 1 $N
refused "does not have" call Remove as 1 $S
vfioctl bind $S
call Add 'asa{sv}' 1 $S 0
finish holder
vfioctl unbind $N $S
