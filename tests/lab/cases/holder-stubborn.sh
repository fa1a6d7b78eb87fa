# SPDX-License-Identifier: LGPL-2.1-or-later
# A holder that handles SIGBUS and goes on gets SIGKILL, after the grace for SIGBUS and not before.
# usually: lab

N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 1500, "sigkill_grace_ms": 20000}}'
allow alice acquire bind
keep_pinging
hold owner alice $N stubborn
does_not_take_back --wait=1 StillHeld $N
untouched owner $N
works owner
takes_back --revoke=1 $N
took_at_least 2500
expect "it got SIGBUS first" said owner "goes on after SIGBUS"
ended_by owner KILL
after_taking_back $N
always_answered
