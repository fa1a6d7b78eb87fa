# SPDX-License-Identifier: LGPL-2.1-or-later
# Two devices of one group are bound and attached to one iommufd, by vfiod or by the receiver: one mapping serves both.
# kernels: lab
# usually: lab
# time: 120

A=0000:03:01.0 B=0000:03:02.0
group=$(group_of $A)
allow alice acquire bind
as alice vfioctl bind "group/$group"
for prepare in attach open; do
        options=()
        [ $prepare = open ] || options=(--ioas given)
        words=$(as alice vfioctl exec --mode=iommufd --prepare=$prepare "group/$group" -- "$VFIO_USER" --iommufd '{iommufd}' \
                "${options[@]}" --cdev "$A={cdev:$A}" --cdev "$B={cdev:$B}" identify map 2 read-bar 8 unmap)
        contains "$words" "$A: config space says 8086:100e"
        contains "$words" "$B: config space says 8086:100e"
        contains "$words" "2 MiB mapped"
        contains "$words" "$B: BAR 0"
        wait_until 10 no_leases
done

# One of them alone, bound by vfiod.
words=$(as alice vfioctl exec --mode=iommufd --prepare=bind $B -- "$VFIO_USER" --iommufd '{iommufd}' --ioas 0 --cdev "$B={cdev:$B}" \
        identify)
contains "$words" "$B: config space says 8086:100e"
wait_until 10 no_leases

in_mode iommufd
hold owner alice $A deaf
refused org.vfiod1.Error.Leased vfioctl exec --mode=iommufd $B -- true
does_not_take_back --wait=1 StillHeld $B
takes_back --revoke=1 "group/$group"
ended_by owner BUS
after_taking_back $A $B
