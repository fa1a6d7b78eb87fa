# SPDX-License-Identifier: LGPL-2.1-or-later
# The example rules are taken by this polkitd as they are installed, and do what they say; `vfioctl auth` tells it beforehand.

N=0000:01:00.0 S=0000:02:00.0
PASSWORD=org.freedesktop.DBus.Error.InteractiveAuthorizationRequired

# example NAME OLD NEW: that example, with a name of this machine for the one in it.
example() {
        local file=/usr/share/doc/vfiod/examples/vfiod-$1.rules
        grep -q "\"$2\"" "$file" || fail "$file speaks of $2"
        sed "s/\"$2\"/\"$3\"/" "$file" | polkit_rule
}

# may USER TARGET ACTION: what `vfioctl auth` says of it, and what decides that.
may() {
        { as "$1" vfioctl auth --json "$2" --action "$3" || true; } |
                sed -n 's/^ *"\(Result\|Decider\)": *"\(.*\)",*$/\2/p' | paste -sd ' '
}

is "$(may alice $N bind)" "challenge default"
example group-one-device vfio alice
example service vmmanager bob
example operator vfio-operators carol

is "$(may alice $N bind)" "yes rule"
as alice vfioctl bind $N
as alice vfioctl exec $N -- true
wait_until 20 as alice vfioctl unbind $N
is "$(driver_of $N)" e1000e
is "$(may alice $S bind)" "challenge default"
refused $PASSWORD as alice vfioctl --no-ask-password bind $S

is "$(may bob $S bind)" "no rule"
refused "polkit action org.vfiod1.bind" as bob vfioctl bind $S
vfioctl bind $S
background holder as bob vfioctl acquire $S
wait_until 20 said holder lease/
refused "polkit action org.vfiod1.unbind" as bob vfioctl unbind --wait=1 $S

is "$(may carol $S revoke)" "yes rule"
is "$(may carol $S acquire)" "challenge default"
as carol vfioctl unbind --revoke=10 $S
is "$(driver_of $S)" nvme
is "$(may carol $S revoke)" "challenge default" "nobody has it any more"
is "$(may root $S bind)" "yes root"
