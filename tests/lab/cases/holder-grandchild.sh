# SPDX-License-Identifier: LGPL-2.1-or-later
# The owner has ended, a child that inherited the files has them: it is the one that is listed, and the one that gets SIGBUS.
# usually: stock

N=0000:01:00.0
allow alice acquire bind
keep_pinging
hold owner alice $N grandchild
wait_until 10 gone owner
child=$(sed -nE 's/^process ([0-9]+) goes on with the files$/\1/p' "$WORK/owner.out")
does_not_take_back --wait=1 StillHeld $N
contains "$WORDS" "pid $child (holder, uid $(id -u alice)"
expect "nobody touched it" runs "$child"
takes_back --revoke=1 $N
expect "it has ended" ended "$child"
after_taking_back $N
always_answered
