# SPDX-License-Identifier: LGPL-2.1-or-later
# The device is in flight in a socket nobody reads: nobody can be signalled, so the device is stuck, and recovers by itself when the
# socket is closed. Meanwhile everybody else is served as ever.
# time: 120
# usually: stock

N=0000:01:00.0 S=0000:02:00.0
configure '{"revoke": {"sigbus_grace_ms": 1000, "sigkill_grace_ms": 1000}}'
allow alice acquire bind
keep_pinging
hold owner alice $N in-flight keep
is "$(holders_of $N)" "$(pid_of owner) $(id -u alice) holder - /org/vfiod1/lease/1 $OTHER_FILES"
does_not_take_back --wait=1 StillHeld $N
untouched owner $N
does_not_take_back --revoke=1 Stuck $N
wait_until 10 state_is stuck $N
contains "$(vfioctl --json show $N)" "cannot be found"
contains "$(vfioctl list)" stuck
journalctl --sync
contains "$(journalctl --quiet --no-pager -u vfiod.service)" stuck
refused org.vfiod1.Error.Stuck vfioctl unbind --wait=1 $N
vfioctl bind $S
takes_back --wait=5 $S
is "$(driver_of $S)" nvme

let_go owner
wait_until 20 state_is idle $N
takes_back --wait=20 $N
after_taking_back $N $S
always_answered
