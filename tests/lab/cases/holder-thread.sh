# SPDX-License-Identifier: LGPL-2.1-or-later
# The files are in the table of one thread alone, the process has closed its own: it is found, and gets SIGBUS.
# usually: stock

N=0000:01:00.0
allow alice acquire bind
keep_pinging
hold owner alice $N thread
is "$(holders_of $N)" "$(pid_of owner) $(id -u alice) holder - /org/vfiod1/lease/1 $ALL_FILES"
does_not_take_back --wait=1 StillHeld $N
contains "$WORDS" "pid $(pid_of owner) (holder"
untouched owner $N
takes_back --revoke=1 $N
ended_by owner BUS
after_taking_back $N
always_answered
