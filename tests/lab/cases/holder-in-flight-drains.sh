# SPDX-License-Identifier: LGPL-2.1-or-later
# The owner has closed everything but what is in flight: its lease drains, nobody is to be seen, so the group is stuck until the
# socket is closed.
# usually: lab

N=0000:01:00.0
allow alice acquire bind
keep_pinging
hold owner alice $N in-flight close
wait_until 20 state_is stuck $N
contains "$(vfioctl --json show $N)" "cannot be found"
is "$(holders_of $N)" ""
refused org.vfiod1.Error. vfioctl unbind $N
refused org.vfiod1.Error. vfioctl exec $N -- true
let_go owner
wait_until 20 no_leases
wait_until 20 state_is idle $N
takes_back --wait=20 $N
after_taking_back $N
always_answered
