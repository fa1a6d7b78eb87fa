# SPDX-License-Identifier: LGPL-2.1-or-later
# A user's program asks for locked memory with its device: its limit is raised, what it starts inherits that, and nothing is
# lowered. It needs an action of its own, and a limit that was raised for nothing is put back.
# usually: stock

N=0000:01:00.0 M=0000:02:00.0
USER_PROGRAM=$LAB/memlock-user
limits_of() { prlimit --pid "$(pid_of "$1")" --memlock --noheadings --raw --output SOFT,HARD; }

allow alice acquire bind
refused "org.vfiod1.raise-memlock" as alice "$USER_PROGRAM" 1073741824 $N
is "$(driver_of $N)" e1000e "nothing is done without the action"

allow alice acquire bind raise-memlock
background user as alice prlimit --memlock=65536:131072 "$USER_PROGRAM" 1073741824 $N
wait_until 30 said user holding
expect "it had little before" said user "before: 65536 131072"
expect "it has what it asked for" said user "after: 1073741824 1073741824"
expect "what it starts has it too, in KiB" said user "started: 1048576"
is "$(limits_of user)" "1073741824 1073741824"
journalctl --sync
contains "$(journalctl --quiet --no-pager --output=verbose VFIOD_OPERATION=acquire VFIOD_OUTCOME=done)" \
        "raise RLIMIT_MEMLOCK of process $(pid_of user) to at least 1073741824 bytes" "the journal says so"

background root as root prlimit --memlock=unlimited "$USER_PROGRAM" 4096 $M
wait_until 30 said root holding
is "$(limits_of root)" "unlimited unlimited" "a higher limit stays"
finish root
finish user

no_leases() { [ "$(vfioctl --json leases)" = "[]" ]; }
wait_until 10 no_leases
hold_outside outsider $N
words=$(as alice prlimit --memlock=65536:131072 "$USER_PROGRAM" 1073741824 $N 2>&1) && fail "a group that is held is refused"
contains "$words" "[org.vfiod1.Error.HeldOutside]"
contains "$words" "after: 65536 131072" "the limit is put back"
finish outsider
refused "the limit is 68719476736 (memlock.max_bytes)" as alice "$USER_PROGRAM" 68719476737 $N
vfioctl unbind $N $M
