# SPDX-License-Identifier: LGPL-2.1-or-later
# Each capability of the unit is for something: what that is works with all of them, and without just that one it fails, in the way
# that is shown here. A capability without a row here fails, and so does one that nothing needs.
# usually: stock
# time: 300

N=0000:01:00.0
capability_set() { systemctl show --value --property=CapabilityBoundingSet vfiod.service; }

# works_with_NAME: does what that capability is for, and leaves the words of it in $REPLY; without_NAME is the pattern of what they are
# when it fails.

# A holder of another user is found by what /proc/PID/fd shows: searching it takes the one, reading its links the other.
works_with_cap_dac_read_search() { names_the_holder; }
# shellcheck disable=SC2034 # by its name
without_cap_dac_read_search="holders: "
works_with_cap_sys_ptrace() { names_the_holder; }
# shellcheck disable=SC2034 # by its name
without_cap_sys_ptrace="holders: "

names_the_holder() {
        hold owner alice $N deaf
        REPLY="holders: $(holders_of $N)"
        finish owner
        [[ $REPLY == "holders: $(pid_of owner) $(id -u alice) holder - /org/vfiod1/lease/"+([0-9])" $ALL_FILES" ]]
}

# And is ended by a signal, where it does not give back by itself.
works_with_cap_kill() {
        hold owner alice $N deaf
        unbind_timed --revoke=1 $N
        REPLY=$WORDS
        finish owner
        [ "$UNBIND_STATUS" -eq 0 ]
}
# shellcheck disable=SC2034 # by its name
without_cap_kill="*the holders have not let go, whatever they were sent*"

# Locked memory beyond the hard limit, of a process of another user. (An iommufd charges each process by itself with it, too.)
works_with_cap_sys_resource() {
        local status=0
        background user as alice prlimit --memlock=65536:131072 "$LAB/memlock-user" 1073741824 $N
        wait_until 30 said_or_gone user holding
        said user "after: 1073741824 1073741824" || status=$?
        REPLY=$(cat "$WORK/user.out")
        finish user
        return "$status"
}
# shellcheck disable=SC2034 # by its name
without_cap_sys_resource="*Operation not permitted*"
said_or_gone() { said "$1" "$2" || gone "$1"; }

# start_without CAPABILITY: the daemon is started anew, with all of the others.
start_without() {
        mkdir -p /run/systemd/system/vfiod.service.d
        printf '[Service]\nCapabilityBoundingSet=~%s\n' "$1" >/run/systemd/system/vfiod.service.d/lab.conf
        systemctl daemon-reload
        # So many starts are allowed in so much time.
        systemctl reset-failed vfiod.service
        systemctl restart vfiod.service
}
forget_drop_in() {
        rm -rf /run/systemd/system/vfiod.service.d
        systemctl daemon-reload
}
trap forget_drop_in EXIT

configure '{"revoke": {"sigbus_grace_ms": 500, "sigkill_grace_ms": 3000}}'
allow alice acquire bind unbind revoke raise-memlock
systemctl start vfiod.service
read -ra capabilities <<<"$(capability_set)"
expect "the unit has capabilities" test "${#capabilities[@]}" -gt 0
for capability in "${capabilities[@]}"; do
        expect "$capability has a row" declare -F "works_with_$capability"
        "works_with_$capability" || fail "what $capability is for works: $REPLY"
        wait_until 20 vfioctl unbind $N
done
for capability in "${capabilities[@]}"; do
        start_without "$capability"
        lacks " $(capability_set) " " $capability "
        ! "works_with_$capability" || fail "without $capability something does not work"
        note "without $capability: ${REPLY//$'\n'/; }"
        pattern="without_$capability"
        # shellcheck disable=SC2053 # it is a pattern
        [[ $REPLY == ${!pattern} ]] || fail "without $capability it fails like '${!pattern}': it said '$REPLY'"
        wait_until 20 vfioctl unbind $N
done
