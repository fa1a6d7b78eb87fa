# SPDX-License-Identifier: LGPL-2.1-or-later
# With SIGKILL switched off a holder that survives SIGBUS keeps its device, which works again as before.
# usually: lab

N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 1000, "sigkill": false}}'
allow alice acquire bind
keep_pinging
hold owner alice $N stubborn
works owner
before=$(grep "a register is" "$WORK/owner.out")
does_not_take_back --revoke=1 StillHeld $N
contains "$WORDS" "pid $(pid_of owner) (holder"
expect "it got SIGBUS" said owner "goes on after SIGBUS"
untouched owner $N
works owner
wait_until 5 said_more_often 1 owner "a register is"
is "$(grep "a register is" "$WORK/owner.out" | tail -n 1)" "$before" "its BAR answers as before"
is "$(times_said owner "memory decode on")" 2 "memory decode is on again"
let_go owner
takes_back --wait=20 $N
after_taking_back $N
always_answered
