# SPDX-License-Identifier: LGPL-2.1-or-later
# What is reset with what, by the kernel's own sysfs: devices behind one bridge together, those on the root bus and behind a port
# of their own alone. With hot_reset a lease is granted where its groups have the whole set.
# usually: stock

A=0000:03:01.0 B=0000:03:02.0
set_of() { # DEVICE
        local name=${1//:/_3a}
        busctl get-property org.vfiod1 "/org/vfiod1/device/_3${name/./_2e}" org.vfiod1.Device ResetSet | cut -d ' ' -f 2-
}
is "$(set_of $A)" "2 \"$A\" \"$B\""
is "$(set_of $B)" "2 \"$A\" \"$B\""
is "$(set_of 0000:00:10.0)" '1 "0000:00:10.0"' "functions on the root bus are reset alone"
is "$(set_of 0000:01:00.0)" '1 "0000:01:00.0"'
is "$(set_of 0000:00:03.0)" '1 "0000:00:03.0"' "what is below a bridge does not reset it"

acquire() { busctl --json=short call org.vfiod1 /org/vfiod1 org.vfiod1.Manager Plan 'sasa{sv}' acquire "$@"; }
contains "$(acquire 1 $A 3 mode s group bind b true hot_reset b true)" "open group $(group_of $A)"
contains "$(acquire 1 0000:01:00.0 3 mode s group bind b true hot_reset b true)" "open group $(group_of 0000:01:00.0)"
