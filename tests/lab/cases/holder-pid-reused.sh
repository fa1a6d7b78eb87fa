# SPDX-License-Identifier: LGPL-2.1-or-later
# During the wait a holder ends and an innocent process gets its pid: only the holder that is left gets a signal.
# usually: lab

N=0000:01:00.0
keep_pinging
hold owner root $N replaced
stays=$(number_after owner stays) doomed=$(number_after owner doomed)
does_not_take_back --wait=1 StillHeld $N
started=$EPOCHREALTIME
background revoker vfioctl unbind --revoke=30 $N
wait_until 25 lease_is releasing
kill -KILL "$doomed"
wait_until 20 said owner "process $doomed is an innocent one now"
ended_with revoker 0
note "unbind --revoke=30: done after $(in_seconds "$(ms_since "$started")")"
wait_until 20 said owner "process $stays was ended by SIGBUS"
expect "the innocent process is alive" runs "$doomed"
lacks "$(<"$WORK/owner.out")" "process $doomed was ended by SIGBUS"
after_taking_back $N
expect "it still is" runs "$doomed"
always_answered
