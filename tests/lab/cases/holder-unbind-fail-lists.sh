# SPDX-License-Identifier: LGPL-2.1-or-later
# Without a policy, unbind of what is held fails at once, and the error says who holds it, with a lease or without.
# usually: lab

N=0000:01:00.0
allow alice acquire bind
hold owner alice $N deaf
refused org.vfiod1.Error.Leased vfioctl unbind $N
refused "held by pid $(pid_of owner) (holder, uid $(id -u alice)" vfioctl unbind $N
refused "$DEVICE_FILE $N" vfioctl unbind $N
refused "only with policy" busctl call org.vfiod1 /org/vfiod1 org.vfiod1.Manager Unbind 'asa{sv}' 1 $N 1 timeout t 1000
untouched owner $N
lacks "$(<"$WORK/owner.out")" asked
finish owner
wait_until 10 no_leases

hold_outside outsider $N
refused org.vfiod1.Error.HeldOutside vfioctl unbind $N
refused "held by pid $(pid_of outsider) (sleep, uid 0): $(outside_words $N)" vfioctl unbind $N
is "$(driver_of $N)" vfio-pci
does_not_take_back --wait=1 StillHeld $N
contains "$WORDS" "pid $(pid_of outsider) (sleep"
expect "nobody touched it" alive outsider
takes_back --revoke=1 $N
ended_by outsider BUS
after_taking_back $N
