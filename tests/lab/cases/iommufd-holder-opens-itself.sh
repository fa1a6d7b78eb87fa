# SPDX-License-Identifier: LGPL-2.1-or-later
# A process of root opens a cdev itself, without a lease, bound to an iommufd and used, or not: it is found and the device taken back.
# kernels: lab
# usually: lab
# time: 120

in_mode iommufd
N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 1000, "sigkill_grace_ms": 2000}}'
keep_pinging

# taken_from OUTSIDER FILES: nobody is given it while that one has it, nor is it unbound from under it.
taken_from() {
        is "$(holders_of $N)" "$(pid_of "$1") 0 $2 - / $3"
        is "$(ref_count $N)" 1
        refused org.vfiod1.Error.HeldOutside vfioctl unbind $N
        refused "held by pid $(pid_of "$1") ($2, uid 0" vfioctl unbind $N
        does_not_take_back --wait=1 StillHeld $N
        expect "it goes on" alive "$1"
        takes_back --revoke=1 $N
        ended_by "$1" BUS
        after_taking_back $N
}

vfioctl bind $N
hold_outside unbound $N
taken_from unbound sleep cdev

vfioctl bind $N
hold_bound_outside bound $N map 1 read-bar 8
taken_from bound vfio-user cdev,mapping
always_answered
