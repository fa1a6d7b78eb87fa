# SPDX-License-Identifier: LGPL-2.1-or-later
# One record an operation, with who, what, from, to, outcome and duration as fields.

A=0000:03:01.0 B=0000:03:02.0
allow alice bind unbind
field() { journalctl --quiet --no-pager --output=json "VFIOD_OPERATION=$1" "VFIOD_OUTCOME=$2" | tail -n 1 | python3 -c "
import json, sys
print(json.loads(sys.stdin.readline()).get(sys.argv[1]))" "$3"; }
as alice vfioctl bind $A
journalctl --sync
is "$(field bind "done" VFIOD_CALLER_UID)" "$(id -u alice)"
is "$(field bind "done" VFIOD_TARGETS)" $A
is "$(field bind "done" VFIOD_FROM)" "$A=e1000 $B=e1000"
is "$(field bind "done" VFIOD_TO)" "$A=vfio-pci $B=vfio-pci"
expect "the duration is there" test "$(field bind "done" VFIOD_DURATION_USEC)" -gt 0
refused org.vfiod1.Error.NotViable vfioctl exec 0000:02:00.0 -- true
journalctl --sync
is "$(field acquire refused VFIOD_ERROR)" org.vfiod1.Error.NotViable
as alice vfioctl unbind $A
