# SPDX-License-Identifier: LGPL-2.1-or-later
# Two callers wait for one device and both succeed; meanwhile it is not given to anybody else, who is told why.
# usually: stock

N=0000:01:00.0
allow alice acquire bind
allow bob acquire
keep_pinging
hold owner alice $N deaf
background first vfioctl unbind --wait=60 $N
background second vfioctl unbind --wait=60 $N
wait_until 20 said first "$(pid_of owner)"
wait_until 20 said second "$(pid_of owner)"
refused org.vfiod1.Error.Busy as bob vfioctl exec $N -- true
refused "is about to be unbound: uid 0 waits for its holders to let go" as bob vfioctl exec $N -- true
refused org.vfiod1.Error.Busy vfioctl bind $N
untouched_so_far() { alive owner && alive first && alive second; }
expect "all of them wait" untouched_so_far
let_go owner
ended_with first 0
ended_with second 0
after_taking_back $N
always_answered
