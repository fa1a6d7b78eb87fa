# SPDX-License-Identifier: LGPL-2.1-or-later
# 200 children have inherited the files: all of them are listed, while everybody else goes first, and all of them are ended.
# time: 120
# usually: lab

N=0000:01:00.0
# Of what vfiod's sandbox allows, too.
a_search_yields() {
        ps -o ni= --ppid "$(pid_of_vfiod)" | grep -qx ' *10'
}

configure '{"revoke": {"sigbus_grace_ms": 10000, "sigkill_grace_ms": 20000}}'
allow alice acquire bind
keep_pinging
hold owner alice $N many 200
is "$(holders_of $N | wc -l)" 201
is "$(ref_count $N)" 201
background curious sh -c "while vfioctl holders $N; do :; done"
wait_until 30 a_search_yields
finish curious >/dev/null
does_not_take_back --wait=1 StillHeld $N
contains "$WORDS" "(holder, uid $(id -u alice)"
untouched owner $N
is "$(pgrep -c -u alice)" 201 "nobody touched them"
takes_back --revoke=1 $N
ended_by owner BUS
is "$(pgrep -c -u alice || true)" 0 "all have ended"
after_taking_back $N
always_answered
