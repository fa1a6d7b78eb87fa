# SPDX-License-Identifier: LGPL-2.1-or-later
# A holder that takes SIGBUS for what it means gives back and lives on: nobody sends it SIGKILL, and nobody waits for longer.
# usually: lab

N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 30000, "sigkill_grace_ms": 30000}}'
allow alice acquire bind
keep_pinging
hold owner alice $N careful
does_not_take_back --wait=1 StillHeld $N
untouched owner $N
works owner
takes_back --revoke=1 $N
took_less_than 30000
expect "it got SIGBUS" said owner SIGBUS
expect "it gave back" said owner "gave everything back"
expect "it is alive" alive owner
after_taking_back $N
expect "it still is" alive owner
always_answered
