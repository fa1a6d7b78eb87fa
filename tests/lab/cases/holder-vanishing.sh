# SPDX-License-Identifier: LGPL-2.1-or-later
# Holders end between being found and being signalled, when the device is quiesced, and innocent processes get their pids at once.
# usually: lab

N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 10000, "sigkill_grace_ms": 20000}}'
keep_pinging
vanish() { # NUMBER OTHERS
        local doomed innocent
        hold owner root $N vanishing "$1" "$2"
        mapfile -t doomed < <(number_after owner doomed)
        is "$(holders_of $N | wc -l)" $(($1 + 1 + $2))
        does_not_take_back --wait=1 StillHeld $N
        takes_back --revoke=1 $N
        is "$(number_after owner doomed | wc -l)" "$1"
        for innocent in "${doomed[@]}"; do
                wait_until 10 said owner "process $innocent is an innocent one now"
                expect "the innocent process is alive" runs "$innocent"
        done
        after_taking_back $N
        kill -KILL "${doomed[@]}"
        finish owner
}
vanish 1 0
vanish 20 60
always_answered
