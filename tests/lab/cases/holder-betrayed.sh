# SPDX-License-Identifier: LGPL-2.1-or-later
# Holders are signalled one after the other; the last one ends meanwhile, and an innocent process gets its pid: that gets no signal.

N=0000:01:00.0
keep_pinging
hold owner root $N betrayed 60
betrays=$(number_after owner betrays) leaves=$(number_after owner leaves)
is "$(holders_of $N | wc -l)" 62
takes_back --revoke=1 $N
expect "the first one got SIGBUS" said owner "process $betrays ended"
wait_until 5 said owner "process $leaves is an innocent one now"
expect "the innocent process is alive" runs "$leaves"
after_taking_back $N
expect "it still is" runs "$leaves"
always_answered
