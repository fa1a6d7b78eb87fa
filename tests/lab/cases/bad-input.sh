# SPDX-License-Identifier: LGPL-2.1-or-later
# Every malformed, unknown or contradictory request has its own error, and nothing on the machine changes.

M="org.vfiod1 /org/vfiod1 org.vfiod1.Manager"
N=0000:01:00.0
try() { # ERROR METHOD ARGUMENTS...
        local error=$1
        shift
        # shellcheck disable=SC2086
        refused "$error" busctl --json=short call $M "$@"
}
named() { # ERROR METHOD ARGUMENTS...: busctl does not print names of errors, vfioctl does
        local error=$1
        shift
        refused "org.vfiod1.Error.$error" "$@"
}
machine_state >"$WORK/input.before"
named NotFound vfioctl bind 0000:7f:00.0
named NotFound vfioctl bind group/4242
named NotFound vfioctl bind no-such-thing
named InvalidTarget vfioctl bind 0000:01:20.0
named InvalidTarget vfioctl bind "01:00.0; reboot"
named InvalidTarget vfioctl bind group/x
named InvalidTarget vfioctl bind group/-1
named InvalidTarget vfioctl bind group/99999999999
named InvalidTarget vfioctl bind ../../etc
named DuplicateTarget vfioctl bind $N 01:00.0
named DuplicateTarget vfioctl bind $N "group/$(group_of $N)"
named HostDevice vfioctl bind 0000:00:1f.2
try "no target given" Bind 'asa{sv}' 0 0
try "no target given" Acquire 'asa{sv}' 0 0
try "no target given" Explain as 0
# shellcheck disable=SC2046
try "more than 64 targets" Bind 'asa{sv}' 10000 $(yes $N | head -n 10000) 0
try "no option 'foo'" Bind 'asa{sv}' 1 $N 1 foo s bar
try "must be of type 's'" Bind 'asa{sv}' 1 $N 1 driver b true
try "must be of type 'b'" Acquire 'asa{sv}' 1 $N 1 bind s yes
try "no option 'bind'" Bind 'asa{sv}' 1 $N 1 bind b true
try "'fast' is not" Acquire 'asa{sv}' 1 $N 1 mode s fast
[ "$LAB_KERNEL" != stock ] || try "iommufd" Acquire 'asa{sv}' 1 $N 1 mode s iommufd
try "'fail', 'wait' or 'revoke'" Unbind 'asa{sv}' 1 $N 1 policy s nicely
try "only with policy" Unbind 'asa{sv}' 1 $N 1 timeout t 1
try "65 bytes, the limit is 64" Acquire 'asa{sv}' 1 $N 1 label s "$(printf 'x%.0s' {1..65})"
try "only together with option bind" Acquire 'asa{sv}' 1 $N 1 driver s vfio-pci
try "the path of a lease" Acquire 'asa{sv}' 1 $N 1 join o /org/vfiod1/group/1
try "there is no lease 77" Acquire 'asa{sv}' 1 $N 1 join o /org/vfiod1/lease/77
try "operation: must be" Plan 'sasa{sv}' explode 1 $N 0
try "there is no IOMMU group 4242" GetGroup u 4242
try "'group/1' is a group" GetDevice s 'group/1'
machine_state >"$WORK/input.after"
is "$(state_difference "$WORK/input.before" "$WORK/input.after")" "" "nothing has changed"
