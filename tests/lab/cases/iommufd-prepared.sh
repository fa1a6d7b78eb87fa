# SPDX-License-Identifier: LGPL-2.1-or-later
# A device is acquired in iommufd mode: opened, bound, or attached to an IOAS whose ranges are told; auto prefers it.
# kernels: lab

N=0000:01:00.0
vfioctl bind $N

property() {
        busctl --json=short get-property org.vfiod1 "$1" org.vfiod1.Lease "$2"
}

acquired() {
        background owner vfioctl acquire "$@" $N
        wait_until 20 said owner lease
        LEASE=/org/vfiod1/lease/$(vfioctl --json leases | sed -n 's/.*"Id": *\([0-9]*\).*/\1/p')
}

given_back() {
        finish owner
        wait_until 20 no_leases
}

# prepared HOW IDS IOAS RANGES ALIGNMENT: how many of them are not 0 or empty.
prepared() {
        acquired --mode=iommufd --prepare="$1"
        contains "$(property "$LEASE" Mode)" '"iommufd"'
        contains "$(property "$LEASE" Prepare)" "\"$1\""
        is "$(property "$LEASE" DeviceIds | grep -cE ',[1-9][0-9]*,0\]')" "$2" "devices with an id"
        is "$(property "$LEASE" Ioas | grep -cE ':[1-9]')" "$3" "an IOAS"
        is "$(property "$LEASE" IovaRanges | grep -cE '\[[0-9]+,[1-9][0-9]+\]')" "$4" "IOVA ranges"
        is "$(property "$LEASE" IovaAlignment | grep -c ':4096')" "$5" "an alignment"
        given_back
}

prepared open 0 0 0 0
prepared bind 1 0 0 0
prepared attach 1 1 1 1
acquired
contains "$(property "$LEASE" Mode)" '"iommufd"' "auto prefers it"
given_back
vfioctl unbind $N
is "$(driver_of $N)" e1000e
