# SPDX-License-Identifier: LGPL-2.1-or-later
# The owner has sent the files to another uid's process and has ended: that process is the holder.
# usually: stock

N=0000:01:00.0
allow alice acquire bind
keep_pinging
background receiver as bob "$HOLDER" receive vfiod-lab-holder
wait_until 20 said receiver "waiting for files"
begin_to_hold owner alice $N send vfiod-lab-holder
wait_until 30 said receiver holding
wait_until 10 gone owner
is "$(holders_of $N)" "$(pid_of receiver) $(id -u bob) holder - /org/vfiod1/lease/1 $ALL_FILES"
does_not_take_back --wait=1 StillHeld $N
contains "$WORDS" "pid $(pid_of receiver) (holder, uid $(id -u bob)"
untouched receiver $N
takes_back --revoke=1 $N
ended_by receiver BUS
after_taking_back $N
always_answered
