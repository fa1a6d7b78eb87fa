# SPDX-License-Identifier: LGPL-2.1-or-later
# A receiver with prepare=open never binds its cdev, and its lease is released while it keeps the cdev, in another process or in a
# socket: the lease drains, nobody else is given the device, the cdev cannot be bound any more; the lease ends when it is closed.
# kernels: lab
# usually: lab
# time: 180

in_mode iommufd
N=0000:01:00.0
allow alice acquire bind
keep_pinging

# given_to_nobody ERROR
given_to_nobody() {
        local mode
        for mode in iommufd group; do
                refused "org.vfiod1.Error.$1" vfioctl exec --mode=$mode $N -- true
        done
        is "$(driver_of $N)" vfio-pci
}

hold owner alice $N unbound-child
wait_until 10 gone owner
child=$(sed -nE 's/^process ([0-9]+) goes on with the files$/\1/p' "$WORK/owner.out")
is "$(holders_of $N)" "$child $(id -u alice) holder - /org/vfiod1/lease/1 $ALL_FILES"
vfioctl release 1
wait_until 10 lease_is draining
given_to_nobody Leased
refused org.vfiod1.Error.Leased vfioctl unbind $N
refused "held by pid $child (holder, uid $(id -u alice)" vfioctl unbind $N
kill -USR1 "$child"
wait_until 10 said owner "$N: cannot be bound: Invalid argument"
lease_is draining
kill -USR2 "$child"
wait_until 20 no_leases
expect "it is alive" runs "$child"
kill -TERM "$child"

hold owner alice $N unbound-in-flight keep
is "$(holders_of $N)" "$(pid_of owner) $(id -u alice) holder - /org/vfiod1/lease/2 $OTHER_FILES"
vfioctl release 2
wait_until 20 state_is stuck $N
given_to_nobody Stuck
refused org.vfiod1.Error.Stuck vfioctl unbind --wait=1 $N
kill -USR1 "$(pid_of owner)"
wait_until 10 said owner "$N: cannot be bound: Invalid argument"
let_go owner
wait_until 20 no_leases
expect "it is alive" alive owner
finish owner

hold owner alice $N unbound-in-flight keep
does_not_take_back --revoke=1 Stuck $N
wait_until 10 state_is stuck $N
given_to_nobody Stuck
let_go owner
wait_until 20 state_is idle $N
takes_back --wait=20 $N
after_taking_back $N
always_answered
