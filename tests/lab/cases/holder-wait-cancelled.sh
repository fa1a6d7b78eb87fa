# SPDX-License-Identifier: LGPL-2.1-or-later
# Who waits gives up, by Ctrl-C or by being killed: nothing is touched, and the lease is as before.
# usually: stock

N=0000:01:00.0
allow alice acquire bind
keep_pinging
hold owner alice $N listener
# What a shell starts in the background ignores SIGINT unless told otherwise.
background waiter env --default-signal=INT vfioctl unbind --wait $N
wait_until 20 lease_is releasing
kill -INT "$(pid_of waiter)"
ended_with waiter 130
untouched owner $N
background waiter env --default-signal=INT vfioctl unbind --revoke=60 $N
wait_until 20 lease_is releasing
kill -KILL "$(pid_of waiter)"
ended_by waiter KILL
untouched owner $N
works owner
let_go owner
takes_back --wait=20 $N
after_taking_back $N
always_answered
