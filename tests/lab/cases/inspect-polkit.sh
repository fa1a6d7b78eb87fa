# SPDX-License-Identifier: LGPL-2.1-or-later
# An ordinary user inspects what a rule about the action allows, and what she has leased herself, and nothing else.

N=0000:01:00.0 S=0000:02:00.0
vfioctl bind $N $S
# busctl has a sentence of its own for this error.
refused "Access denied" inspect alice $N
contains "$(journalctl --sync; journalctl --quiet --no-pager VFIOD_OPERATION=inspect)" "$N (polkit action org.vfiod1.inspect)"
polkit_rule <<'RULE'
polkit.addRule(function(action, subject) {
    if (subject.user == "alice" && action.id == "org.vfiod1.inspect" && action.lookup("device") == "0000:01:00.0" &&
        action.lookup("driver") == "vfio-pci" && action.lookup("class") == "020000" && action.lookup("group"))
        return polkit.Result.YES;
});
RULE
contains "$(inspect alice $N)" bar0
refused "Access denied" inspect alice $S

allow alice acquire
background holder as alice vfioctl acquire $S
wait_until 20 said holder lease/
contains "$(inspect alice $S)" bar0
refused "Access denied" inspect bob $S
finish holder
vfioctl unbind $N $S
