# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the cases power-cut-* can say: the power is cut at each write of a file that is on the lasting disk (boots.sh). They begin with
# cut_assignments or cut_state, with those operations that they want if not all, which define
#       FILE                 which it is, and ON_DISK, its directory there
#       OPERATIONS           functions, each of which makes one change; done one after the other
#       set_up OPERATION     from wherever a cut has left it: FILE and devices are as that finds them
#       is_well              what must be so at the next boot

# shellcheck disable=SC2034 # for what is below
cut_assignments() {
        FILE=/etc/vfiod/assignments.json ON_DISK=etc
        OPERATIONS=("$@")
        [ $# -gt 0 ] || OPERATIONS=(assign_first assign_another unassign_one unassign_last)
        held_for_long
        set_up() { set_up_assignments "$@"; }
        is_well() { assignments_are_well; }
}

# shellcheck disable=SC2034
cut_state() {
        FILE=$STATE ON_DISK=run
        OPERATIONS=("$@")
        [ $# -gt 0 ] || OPERATIONS=(bind_one acquire_one)
        set_up() { set_up_state; }
        is_well() { state_is_well; }
        mount --bind $LASTING/run /run/vfiod
        held_for_long
        forget_records
}

# Who is held before each write takes his time, and so does what waits for him; vfiod is not to take that for a device that hangs.
held_for_long() {
        configure '{"step_deadline_ms": 120000}'
}

CUT_N=0000:01:00.0 CUT_A=0000:03:01.0 CUT_B=0000:03:02.0
CUT_HOST="$CUT_N e1000e/none $CUT_A e1000/none $CUT_B e1000/none "

# --- the assignments

assign_first() { vfioctl assign $CUT_N; }
assign_another() { vfioctl assign $CUT_A; }
unassign_one() { vfioctl unassign $CUT_N; }
unassign_last() { vfioctl unassign $CUT_A; }

set_up_assignments() {
        case $1 in
        assign_first) make_unassigned $CUT_N && make_unassigned $CUT_A ;;
        assign_another) make_assigned $CUT_N && make_unassigned $CUT_A ;;
        unassign_one) make_assigned $CUT_N && make_assigned $CUT_A ;;
        unassign_last) make_unassigned $CUT_N && make_assigned $CUT_A ;;
        esac
        systemctl start vfiod.service
}
is_assigned() { [ -e "$FILE" ] && grep -q "\"$1\"" "$FILE"; }
make_assigned() { is_assigned "$1" || vfioctl assign "$1"; }
make_unassigned() { ! is_assigned "$1" || vfioctl unassign "$1"; }

assignments_are_well() {
        local device
        for device in $CUT_N $CUT_A $CUT_B; do
                if is_assigned $device; then
                        is "$(drivers $device)" "$device vfio-pci/vfio-pci "
                        contains "$(vfioctl list $device)" "(assigned)"
                else
                        contains "$CUT_HOST" "$(drivers $device)"
                        lacks "$(vfioctl list $device)" assigned
                fi
        done
        lacks "$(dmesg)" "vfiod-assigned:"
        nothing_is_wrong
}

# Nothing that vfiod or the machine has said since this boot.
nothing_is_wrong() {
        is "$(journalctl --quiet --no-pager --priority=warning --unit=vfiod.service)" "" "vfiod has nothing to complain of"
        is "$(systemctl is-system-running --wait || true)" running "nothing has failed"
}

# --- the state

bind_one() { vfioctl bind $CUT_N; }
acquire_one() { vfioctl exec --bind --mode=group $CUT_A -- true && wait_until 60 no_leases; }

set_up_state() {
        local device
        systemctl start vfiod.service
        for device in $CUT_N $CUT_A; do
                [ "$(driver_of $device)" != vfio-pci ] || vfioctl unbind $device
        done
        is "$(drivers $CUT_N $CUT_A $CUT_B)" "$CUT_HOST"
}

state_is_well() {
        systemctl start vfiod.service
        is_settled
        is "$(drivers $CUT_N $CUT_A $CUT_B)" "$CUT_HOST" "all are on their own drivers, as the boot has left them"
        nothing_is_held
        lacks "$(records)" "cannot be used"
        expect "nothing was put aside" test ! -e $STATE.bad
        nothing_is_wrong
}

# --- without boots

# any_cut: each operation is done once, and the host looks into every disk that a power cut at any moment of it could leave
# (tests/lab/host/disk.py). They are many more than can be booted.
any_cut() {
        local operation
        for operation in "${OPERATIONS[@]}"; do
                for COMMITS in "" commits; do
                        look_into_disks "$operation"
                done
        done
}

look_into_disks() {
        local operation=$1 answer found
        set_up "$operation"
        sync -f $LASTING
        expect "the host has marked this" ask disk mark
        content >"$WORK/contents"
        watched "$operation"
        content >>"$WORK/contents"
        answer=$(ask disk cuts "${FILE/*\/vfiod/\/$ON_DISK}")
        is "${answer%% *}" "$(content)" "what was answered is on the disk: $operation"
        for found in ${answer#* }; do
                expect "only what was there at some time is in the file: $found" grep -qx "${found%=*}" "$WORK/contents"
        done
        note "$operation: $(wc -l <"$WORK/writes") writes${COMMITS:+, others commit meanwhile}: $(count_disks "${answer#* }")"
}

count_disks() {
        tr ' ' '\n' <<<"$1" | awk -F= '{ n += $2 } END { print n " disks with " NR " contents" }'
}

# --- with boots

# cut_everywhere ARGUMENT...: those of the case. Each operation is done once undisturbed, which tells its writes, and what is in FILE
# before each. Then it is done again for each write, with the power cut before that; and once more with a cut when it has answered, after
# which the new state is the only right one.
cut_everywhere() {
        COMMITS=""
        [ $# -eq 0 ] || judge_cut "$@"
        next_cut "$@"
}

# judge_cut OPERATION NUMBER WRITES RIGHT NEW WRITE: after a boot. RIGHT are the contents, joined by commas, that may be in FILE, the
# old one first.
judge_cut() {
        local operation=$1 number=$2 writes=$3 right=$4 new=$5 when now
        when="cut before write $number of $writes, ${6/_/ }"
        [ "$number" -le "$writes" ] || when="cut after the answer"
        now=$(content)
        [[ ,$right, == *",$now,"* ]] || fail "$operation, $when: the file has what was there at some time, and not $(cat "$FILE")"
        [ "$number" -le "$writes" ] || is "$now" "$new" "what was answered is not lost by a cut"
        is_well
        note "$operation, $when: $(content_between "${right%%,*}" "$new" "$now")"
}

# content_between OLD NEW NOW: there are others in between where an operation writes more than once.
content_between() {
        case $3 in
        "$1") echo old ;;
        "$2") echo new ;;
        *) echo "in between" ;;
        esac
}

# next_cut [OPERATION NUMBER WRITES RIGHT NEW WRITE]: of the cut that was last.
next_cut() {
        local operation=${1:-} number=${2:-0} writes=${3:-0} right=${4:-} new=${5:-}
        if [ "$number" -gt "$writes" ] || [ -z "$operation" ]; then
                operation=$(operation_after "$operation")
                [ -n "$operation" ] || return 0
                undisturbed "$operation"
                number=0 writes=$(wc -l <"$WORK/writes") right=$(awk '!seen[$0]++' "$WORK/contents" | paste -sd ,) new=$(content)
        fi
        number=$((number + 1))
        set_up "$operation"
        printf '%s\n' "$operation $number $writes $right $new" >"$WORK/cut"
        watched "$operation"
        is "$number" $((writes + 1)) "it writes as often as before"
        cut_power "$operation" "$number" "$writes" "$right" "$new" -
}

operation_after() {
        local operation before=""
        for operation in "${OPERATIONS[@]}"; do
                [ "$before" != "$1" ] || { echo "$operation" && return; }
                before=$operation
        done
}

undisturbed() {
        set_up "$1"
        rm -f "$WORK/cut"
        content >"$WORK/contents"
        watched "$1"
        content >>"$WORK/contents"
        expect "$1 writes to the disk" test -s "$WORK/writes"
}

# watched OPERATION: with at_write before each of its writes.
watched() {
        : >"$WORK/writes"
        export LAB WORK COMMITS
        background each-write "$LAB/each-write" "$(pid_of_vfiod)" $LASTING bash -c ". $LAB/boots.sh; . $LAB/power-cut.sh; at_write \"\$@\"" "$FILE"
        wait_until 10 said each-write watching
        "$1"
        is_settled
        finish each-write
}

# at_write NUMBER WHAT: in a process of its own, while the writer waits. There is nothing of lib.sh in it, which would take it a second.
at_write() {
        local FILE=$0 operation number writes right new
        echo "$2" >>"$WORK/writes"
        [ -z "${COMMITS-}" ] || commit_by_somebody
        if [ ! -e "$WORK/cut" ]; then
                content >>"$WORK/contents"
                return
        fi
        read -r operation number writes right new <"$WORK/cut"
        [ "$1" = "$number" ] || return 0
        commit_by_somebody
        cut_power "$operation" "$number" "$writes" "$right" "$new" "${2/ /_}"
}

# What has been done so far is in ext4's journal then, and what has been written but not synchronised is not on the disk: nobody may
# rely on that not happening at any moment.
commit_by_somebody() {
        python3 -c 'import os, sys; fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT); os.write(fd, b"x"); os.fsync(fd)' \
                $LASTING/somebody
}

# content: of FILE, in a word, without what is different each time.
content() {
        if [ -e "$FILE" ]; then
                grep -v '"since"' "$FILE" | md5sum | cut -d ' ' -f 1
        else
                echo none
        fi
}
