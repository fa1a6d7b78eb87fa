# SPDX-License-Identifier: LGPL-2.1-or-later
# Nobody lets go in time: the error lists the holders, the device works as before, and no signal was sent.
# usually: lab

N=0000:01:00.0
allow alice acquire bind
keep_pinging
hold owner alice $N careful
for time in 1 1500ms; do
        does_not_take_back --wait=$time StillHeld $N
        took_at_least 1000
        contains "$WORDS" "pid $(pid_of owner) (holder, uid $(id -u alice)"
        contains "$WORDS" "$DEVICE_FILE $N"
        untouched owner $N
        works owner
done
lacks "$(<"$WORK/owner.out")" SIGBUS
let_go owner
takes_back --wait=20 $N
after_taking_back $N
always_answered
