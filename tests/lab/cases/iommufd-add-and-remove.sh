# SPDX-License-Identifier: LGPL-2.1-or-later
# A device joins a live iommufd lease and leaves it again: its id, and the IOVA ranges, come and go. What the holder has open cannot
# leave, and nothing is lost by the attempt.
# kernels: lab
# usually: lab
# time: 120

N=0000:01:00.0 S=0000:02:00.0
lease=/org/vfiod1/lease/1
call() { busctl --json=short call org.vfiod1 $lease org.vfiod1.Lease "$@"; }
property() { busctl --json=short get-property org.vfiod1 $lease org.vfiod1.Lease "$1"; }
# ids: how many devices have one.
ids() { property DeviceIds | grep -oE '\["[^]]*",[1-9][0-9]*,0\]' | wc -l; }
# ranges: how many there are.
ranges() { property IovaRanges | grep -oE '\[[0-9]+,[0-9]+\]' | wc -l; }
vfioctl bind $N $S
background holder vfioctl exec --mode=iommufd $N -- "$VFIO_USER" --iommufd '{iommufd}' --ioas given --cdev "$N={cdev:$N}" \
        identify map 1 hold
wait_until 20 said holder holding
is "$(ids)" 1
alone=$(property IovaRanges)

words=$(call Add 'asa{sv}' 1 $S 0)
contains "$words" '"cdev"'
contains "$words" $S
is "$(ids)" 2
expect "there are ranges" test "$(ranges)" -ge 1
contains "$(property Devices)" $S
refused leased call Add 'asa{sv}' 1 $S 0
is "$(call GetFds uu 0 0 | grep -oE '"(cdev|iommufd|lease)"' | sort | uniq -c | xargs)" '2 cdev 1 iommufd' "the files in all"
call Remove as 1 $S
lacks "$(property Devices)" $S
lacks "$(property DeviceIds)" $S
is "$(ids)" 1
is "$(property IovaRanges)" "$alone"
vfioctl unbind $S
is "$(driver_of $S)" nvme

refused "no group left" call Remove as 1 $N
refused "does not have" call Remove as 1 $S
finish holder
wait_until 20 no_leases

# Both are open in the holder.
background holder vfioctl exec --bind --mode=iommufd $N $S -- "$VFIO_USER" --iommufd '{iommufd}' --ioas given \
        --cdev "$N={cdev:$N}" --cdev "$S={cdev:$S}" map 1 hold
wait_until 20 said holder holding
lease=/org/vfiod1/lease/2
refused "still open" call Remove as 1 $S
refused "held by pid $(pid_of holder) (vfio-user, uid 0): cdev $S" call Remove as 1 $S
is "$(ids)" 2
contains "$(call GetFds uu 0 0)" $S "vfiod has its file"
contains "$(property Devices)" $S
in_mode iommufd
does_not_take_back --wait=1 StillHeld $S
finish holder
wait_until 20 no_leases
takes_back --wait=20 $N
takes_back --wait=20 $S
after_taking_back $N $S
