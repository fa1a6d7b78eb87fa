# SPDX-License-Identifier: LGPL-2.1-or-later
# A stopped holder hears nothing and cannot act on SIGBUS: SIGKILL ends it all the same.
# usually: stock

N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 1500, "sigkill_grace_ms": 20000}}'
allow alice acquire bind
keep_pinging
hold owner alice $N polite
kill -STOP "$(pid_of owner)"
does_not_take_back --wait=1 StillHeld $N
contains "$WORDS" "pid $(pid_of owner) (holder"
untouched owner $N
takes_back --revoke=1 $N
took_at_least 2500
ended_by owner KILL
after_taking_back $N
always_answered
