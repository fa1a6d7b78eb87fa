# SPDX-License-Identifier: LGPL-2.1-or-later
# A rule about one device does not open its neighbour: every member of the group is asked about.

A=0000:03:01.0 B=0000:03:02.0
polkit_rule <<'RULE'
polkit.addRule(function(action, subject) {
    if (subject.user == "alice" && action.lookup("device") == "0000:03:01.0" &&
        action.lookup("driver") == "e1000" && action.lookup("class") == "020000" && action.lookup("group"))
        return polkit.Result.YES;
});
RULE
refused "$B (polkit action org.vfiod1.bind)" as alice vfioctl --no-ask-password bind $A
is "$(driver_of $A) $(driver_of $B)" "e1000 e1000"
