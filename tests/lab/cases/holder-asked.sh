# SPDX-License-Identifier: LGPL-2.1-or-later
# A lease is asked back in three ways at once, with deadline and reason; each of them says it again to the next caller.
# usually: stock

N=0000:01:00.0
allow alice acquire bind
hold owner alice $N listener
now=$(date +%s)
does_not_take_back --wait=8 StillHeld $N
for way in ReleaseRequested "the lease's pipe" "the request interrupt"; do
        expect "it is asked by $way" said owner "asked by $way"
done
deadline=$(sed -nE 's/^ReleaseRequested: deadline ([0-9]+), reason: .+$/\1/p' "$WORK/owner.out")
expect "the deadline is within the next seconds" test $((deadline / 1000000 - now)) -ge 1 -a $((deadline / 1000000 - now)) -le 60
untouched owner $N

background waiter vfioctl unbind --wait $N
wait_until 10 said_more_often 1 owner "asked by ReleaseRequested"
wait_until 10 said_more_often 1 owner "asked by the request interrupt"
expect "who waits for ever has no deadline" said owner "ReleaseRequested: deadline 0,"
expect "it is asked back" lease_is releasing
let_go owner
ended_with waiter 0
after_taking_back $N
