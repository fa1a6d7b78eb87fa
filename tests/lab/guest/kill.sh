# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case about death can say. It defines
#       set_up        makes the machine ready for the operation
#       attempt       asks for it
#       ends_well     what must be so afterwards, when it was broken off: prints in a word which end it was (found, asked)
#       tear_down     the way back to before set_up
# and `kill_everywhere OPERATION`, or kill_recovery, does the rest: the plan is read from the journal of an operation that nobody disturbs, and then
# worker, daemon or both are killed before each of its steps (daemon/broker/test-hook.h). A cell is a line of the report.

KILL_ORDER=/run/vfiod/kill

# plan_of OPERATION: the steps of the last one that was done, a line each.
plan_of() {
        journalctl --sync
        journalctl --quiet --no-pager --output=json "VFIOD_OPERATION=$1" VFIOD_OUTCOME=done | tail -n 1 |
                python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["VFIOD_PLAN"].replace("; ", "\n"))'
}

# kill_everywhere OPERATION [WHO...]
kill_everywhere() {
        local operation=$1 who n=0
        shift
        note_plan "$operation"
        [ $# -gt 0 ] || set -- worker both vfiod
        for who; do
                n=0
                while read -r -u 4 step; do
                        n=$((n + 1))
                        kill_before "$who" "$operation" $n "$step"
                done 4<"$WORK/plan"
        done
}

# note_plan OPERATION: what it does when nobody disturbs it, in $WORK/plan.
note_plan() {
        set_up
        attempt >"$WORK/undisturbed" 2>&1 || fail "nobody disturbs it: $(cat "$WORK/undisturbed")"
        plan_of "$1" >"$WORK/plan"
        tear_down
        [ -s "$WORK/plan" ] || fail "there is a plan of $1"
}

# kill_before WHO OPERATION NUMBER STEP
kill_before() {
        kill_in_turn "$2 $3 ($4), $1 killed" "$1" "$4"
}

# kill_in_turn WORDS {WHO STEP}...: the orders are obeyed one after the other.
kill_in_turn() {
        local words=$1 end
        shift
        set_up
        printf '%s\n' "$@" >$KILL_ORDER
        attempt >"$WORK/attempt" 2>&1 || true
        wait_until 60 order_is_obeyed "$words"
        wait_until 60 is_settled
        end=$(ends_well) || fail "$words: $end"
        note "$words: $end"
        tear_down
        systemctl reset-failed vfiod.service
}

# The most steps that a recovery may have here.
RECOVERY_MAX=40

# kill_recovery OPERATION: it is broken off before its last step, and so is what the next vfiod does about it, before each step of that;
# by then a third one has to do it.
kill_recovery() {
        local last steps i j orders
        note_plan "$1"
        last=$(tail -n 1 "$WORK/plan")
        count_recovery "$last"
        steps=$(cat "$WORK/recovery")
        [ "$steps" -gt 0 ] || fail "something is done about it"
        for ((i = 1; i <= steps; i++)); do
                orders=(both "$last")
                for ((j = 1; j < i; j++)); do
                        orders+=(nobody any)
                done
                kill_in_turn "$1 before '$last', then its recovery before step $i of $steps" "${orders[@]}" both any
        done
}

# count_recovery STEP: how many steps the recovery has, in $WORK/recovery.
count_recovery() {
        local n
        set_up
        {
                printf 'both\n%s\n' "$1"
                for ((n = 0; n < RECOVERY_MAX; n++)); do
                        printf 'nobody\nany\n'
                done
        } >$KILL_ORDER
        attempt >"$WORK/attempt" 2>&1 || true
        wait_until 60 first_order_is_obeyed
        wait_until 60 is_settled
        n=$(wc -l <$KILL_ORDER)
        rm $KILL_ORDER
        echo $((RECOVERY_MAX - n / 2)) >"$WORK/recovery"
        tear_down
        systemctl reset-failed vfiod.service
}

first_order_is_obeyed() {
        [ "$(head -n 1 $KILL_ORDER)" != both ]
}

# Through the socket nothing is asked again of the next vfiod, so that what is found is what was left.
vfioctl_once() {
        DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere vfioctl "$@"
}

order_is_obeyed() {
        [ ! -e $KILL_ORDER ]
}

# The daemon is there, and nothing is under way or left to do.
is_settled() {
        [ "$(systemctl is-active vfiod.service)" = active ] && grep -q '"plans":\[\]' /run/vfiod/state.json &&
                vfioctl --json list >"$WORK/list" && ! grep -q '"State": *"busy"' "$WORK/list"
}

# drivers_are FOUND ASKED DEVICE...: an end of an operation that only moves devices.
drivers_are() {
        local found=$1 asked=$2 now
        shift 2
        now=$(drivers "$@")
        case $now in
        "$found") echo found ;;
        "$asked") echo asked ;;
        *)
                echo "$now"
                return 1
                ;;
        esac
}

# nothing_is_held: no lease, no file with vfiod or systemd, no memory pinned.
nothing_is_held() {
        wait_until 30 no_leases
        wait_until 30 vfiod_has_no_file
        wait_until 30 systemd_has_no_file
        is "$(locked_memory)" 0 "no memory is pinned for DMA"
}

systemd_has_no_file() {
        [ "$(systemctl show --value --property=NFileDescriptorStore vfiod.service)" = 0 ]
}

# drivers DEVICE...: what they are on, and would be.
drivers() {
        local device
        for device; do
                printf '%s %s/%s ' "$device" "$(driver_of "$device")" "$(override_of "$device")"
        done
}
