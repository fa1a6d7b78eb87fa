# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case about holders can say: starting one of the zoo (holder.c), getting its device back, and what must be so
# afterwards. Measured times go to the report, as notes.

HOLDER=$LAB/holder
# Written by run-cases: the machine as it was before the case.
BEFORE=/run/vfiod-lab/before

# in_mode MODE: that holders lease in from now on, group or iommufd. A case iommufd-holder-X is holder-X in the other one.
# In iommufd mode they get $PREPARE, which is `open` unless the case says `attach`.
# $DEVICE_FILE is how ListHolders calls the file of a device then, $ALL_FILES what a holder has, $OTHER_FILES without the device's.
# shellcheck disable=SC2034 # for the cases
in_mode() {
        MODE=$1
        case $MODE in
        group) DEVICE_FILE=device OTHER_FILES=container,group,lease ALL_FILES=container,device,group,lease ;;
        iommufd) DEVICE_FILE=cdev OTHER_FILES=iommufd,lease ALL_FILES=cdev,iommufd,lease ;;
        esac
}
in_mode group

# begin_user NAME DEVICE: a program that leases the device in that mode, and uses it now and when it is told to end.
begin_user() {
        local name=$1 device=$2
        if [ "$MODE" = iommufd ]; then
                background "$name" vfioctl exec --mode=iommufd "$device" -- "$VFIO_USER" --iommufd '{iommufd}' --ioas given \
                        --cdev "$device={cdev:$device}" identify map 1 hold identify unmap
        else
                background "$name" vfioctl exec --mode=group "$device" -- "$VFIO_USER" --container '{container}' \
                        --device "$device={device:$device}" identify map 1 hold identify unmap
        fi
        wait_until 30 said "$name" holding
}

# hold NAME USER DEVICE KIND [ARGUMENT...]: a holder of the zoo leases the device, and is in its place when this returns.
hold() {
        begin_to_hold "$@"
        wait_until 30 said "$1" holding
}

# begin_to_hold: the same, without waiting for it. Kinds unbound* are for iommufd mode and leave their cdevs as they come.
begin_to_hold() {
        local name=$1 user=$2 device=$3
        local files=(--container '{container}' --group '{group}' --device "$device={device:$device}") prepare=attach
        shift 3
        if [ "$MODE" = iommufd ]; then
                files=(--iommufd '{iommufd}' --cdev "$device={cdev:$device}")
                prepare=${PREPARE-open}
                [ "$prepare" != attach ] || files+=(--ioas given)
        fi
        [[ $1 != unbound* ]] || files+=(--ioas 0)
        background "$name" as "$user" vfioctl exec --bind --mode="$MODE" --prepare="$prepare" "$device" -- "$HOLDER" \
                "${files[@]}" --lease '{lease}' "$@"
}

# hold_outside NAME DEVICE: a process of root opens the device's group (or cdev) by itself, without a lease.
hold_outside() {
        local node
        node=$(outside_node "$2")
        background "$1" bash -c "exec sleep 1000 9<>$node"
        wait_until 10 is_outside "$1"
}

# outside_file DEVICE: what holders_of says that one has; outside_words DEVICE: what a sentence does.
outside_file() {
        [ "$MODE" = iommufd ] && echo cdev || echo group
}

outside_words() {
        [ "$MODE" = iommufd ] && echo "cdev $1" || echo "group $(group_of "$1")"
}

outside_node() {
        [ "$MODE" = iommufd ] && cdev_of "$1" || echo "/dev/vfio/$(group_of "$1")"
}

# cdev_of DEVICE: its node under /dev/vfio/devices, once it is bound.
cdev_of() {
        basename "/sys/bus/pci/devices/$1/vfio-dev"/vfio* | sed 's|^|/dev/vfio/devices/|'
}

is_outside() {
        [ -e "/proc/$(pid_of "$1")/fd/9" ] && [ "$(<"/proc/$(pid_of "$1")/comm")" = sleep ]
}

# hold_bound_outside NAME DEVICE VERB...: the same with cdev and iommufd, which it binds and attaches the device to, and uses it.
hold_bound_outside() {
        background "$1" "$VFIO_USER" open-node "$2" attach "${@:3}" hold
        wait_until 10 said "$1" holding
}

# runs PID: or is stopped. A process that has ended and was not waited for yet does not.
runs() {
        [[ $(ps -o stat= -p "$1") == [!Z]* ]]
}

ended() {
        ! runs "$1"
}

# alive NAME: what `background` or `hold` started still runs.
alive() {
        runs "$(pid_of "$1")"
}

# ended_with NAME STATUS: waits for its end; 128 and the signal's number for what a signal has ended.
ended_with() {
        local status=0
        wait "$(pid_of "$1")" || status=$?
        is $status "$2" "status of $1"
}

# ended_by NAME SIGNAL
ended_by() {
        ended_with "$1" $((128 + $(kill -l "$2")))
}

# let_go NAME: it gives everything back, and goes on.
let_go() {
        kill -USR2 "$(pid_of "$1")"
        wait_until 10 said "$1" "gave everything back"
}

# works NAME: its devices answer it, as it has set them up.
works() {
        local before
        before=$(times_said "$1" "works, bus mastering on")
        kill -USR1 "$(pid_of "$1")"
        wait_until 10 said_more_often "$before" "$1" "works, bus mastering on"
}

times_said() {
        grep -cF -- "$2" "$WORK/$1.out" || true
}

said_more_often() {
        [ "$(times_said "$2" "$3")" -gt "$1" ]
}

# number_after NAME WORD: it has said "WORD: NUMBER".
number_after() {
        sed -n "s/^$2: //p" "$WORK/$1.out"
}

# lease_is STATE: the only lease.
lease_is() {
        [[ $(vfioctl --json leases) == *'"State": "'"$1"'"'* ]]
}

# state_is STATE DEVICE
state_is() {
        [[ $(vfioctl --json show "$2") == *'"State": "'"$1"'"'* ]]
}

# holders_of TARGET: a line for each: pid, uid, command, unit (or -), lease, kinds of files.
holders_of() {
        busctl --json=short call org.vfiod1 /org/vfiod1 org.vfiod1.Manager ListHolders as 1 "$1" | python3 -c '
import json, sys
for holder in json.load(sys.stdin)["data"][0]:
    value = {name: variant["data"] for name, variant in holder.items()}
    kinds = ",".join(sorted({file[0] for file in value["Files"]}))
    print(value["Pid"], value["Uid"], value["Command"], value["Unit"] or "-", value["Lease"], kinds)'
}

# ref_count DEVICE: of its group.
ref_count() {
        busctl --json=short get-property org.vfiod1 "/org/vfiod1/group/$(group_of "$1")" org.vfiod1.Group RefCount |
                python3 -c 'import json, sys; print(json.load(sys.stdin)["data"])'
}

# --- getting a device back

# takes_back OPTION DEVICE...: `vfioctl unbind OPTION` does, and how long that takes is noted ($TOOK, in ms).
takes_back() {
        unbind_timed "$@"
        [ "$UNBIND_STATUS" -eq 0 ] || fail "unbind $1 gets $2 back (status $UNBIND_STATUS: $WORDS)"
        note "unbind $1: done after $(in_seconds "$TOOK")"
}

# does_not_take_back OPTION ERROR DEVICE...: it is refused with that error; what it says goes to $WORDS.
does_not_take_back() {
        local option=$1 error=$2
        shift 2
        unbind_timed "$option" "$@"
        [ "$UNBIND_STATUS" -ne 0 ] || fail "unbind $option of $1 is refused with $error (it succeeded)"
        contains "$WORDS" "org.vfiod1.Error.$error" "unbind $option of $1 says why"
        note "unbind $option: $error after $(in_seconds "$TOOK")"
}

unbind_timed() {
        local started=$EPOCHREALTIME
        UNBIND_STATUS=0
        WORDS=$(vfioctl unbind "$@" 2>&1) || UNBIND_STATUS=$?
        TOOK=$(ms_since "$started")
        printf '%s\n' "$WORDS"
}

# ms_since TIME: as $EPOCHREALTIME was.
ms_since() {
        echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000))
}

in_seconds() {
        printf '%d.%02d s' $(($1 / 1000)) $(($1 % 1000 / 10))
}

# took_at_least MILLISECONDS, took_less_than MILLISECONDS: the last one.
took_at_least() {
        ((TOOK >= $1)) || fail "that takes at least $1 ms: it took $TOOK ms"
}

took_less_than() {
        ((TOOK < $1)) || fail "that takes less than $1 ms: it took $TOOK ms"
}

# untouched NAME DEVICE: after somebody has tried in vain, its holder has it as before.
untouched() {
        expect "$1 is alive" alive "$1"
        is "$(driver_of "$2") $(override_of "$2")" "vfio-pci vfio-pci"
        wait_until 10 lease_is held
}

# gives_back_when_asked DEVICE KIND HOW: such a holder hears HOW, lets go and lives on, whether somebody waits or would revoke.
gives_back_when_asked() {
        local option
        for option in --wait=30 --revoke=30; do
                hold owner alice "$1" "$2"
                takes_back "$option" "$1"
                took_less_than 30000
                expect "it was asked by $3" said owner "asked by $3"
                expect "it is alive" alive owner
                after_taking_back "$1"
                finish owner
        done
}

# --- afterwards

# after_taking_back DEVICE...: everything is as if nobody had ever held them.
after_taking_back() {
        local device
        for device; do
                is "$(facts_about "$device")" "$(facts_before "$device")" "$device is on its original driver and override"
        done
        wait_until 15 no_leases
        wait_until 15 vfiod_has_no_file
        is "$(locked_memory)" 0 "no memory is pinned for DMA"
        for device; do
                can_be_opened_again "$device"
        done
}

facts_about() {
        machine_state | only_drivers_of "$1"
}

facts_before() {
        only_drivers_of "$1" <"$BEFORE"
}

only_drivers_of() {
        grep -E "^$1 driver(_override)? "
}

no_leases() {
        [ "$(vfioctl --json leases | tr -d '[:space:]')" = "[]" ]
}

pid_of_vfiod() {
        systemctl show --value --property=MainPID vfiod.service
}

# vfiod_files: what it has open or mapped of containers, groups and devices.
vfiod_files() {
        local pid
        pid=$(pid_of_vfiod)
        find "/proc/$pid/fd" "/proc/$pid/map_files" \( -lname '/dev/vfio/*' -o -lname '*vfio-device*' -o -lname /dev/iommu \) -printf '%l\n' 2>/dev/null
}

vfiod_has_no_file() {
        [ -z "$(vfiod_files)" ]
}

vfiod_has_no_device_file() {
        [[ $(vfiod_files) != *vfio-device* && $(vfiod_files) != */dev/vfio/devices/* ]]
}

# locked_memory: KiB that processes of this case have pinned.
locked_memory() {
        sed 's|.*|/proc/&/status|' /sys/fs/cgroup/vfiod-lab-case/cgroup.procs | xargs cat 2>/dev/null |
                awk '$1 == "VmLck:" { sum += $2 } END { print sum + 0 }'
}

# No file of the group is left anywhere, not even where nobody sees it: the kernel lets it be opened once only.
can_be_opened_again() {
        local file
        vfioctl bind "$1"
        exec {file}<>"/dev/vfio/$(group_of "$1")" || fail "the group of $1 can be opened again"
        exec {file}>&-
        vfioctl unbind "$1"
}

# keep_pinging: somebody asks vfiod for a sign of life every 100 ms from now on.
keep_pinging() {
        background pinger "$HOLDER" ping
        wait_until 30 said pinger "vfiod answers"
}

# always_answered: every time, and soon; the slowest answer is noted.
always_answered() {
        local words slowest
        # Not in a subshell, which could not wait for it.
        finish pinger >/dev/null
        words=$(tail -n 1 "$WORK/pinger.out")
        [[ $words =~ ^([1-9][0-9]*)\ pings\ answered,\ the\ slowest\ after\ ([0-9]+)\ ms$ ]] ||
                fail "vfiod answers throughout: $words"
        note "$words"
        slowest=${BASH_REMATCH[2]}
        ((slowest < 5000)) || fail "vfiod answers throughout: once it took $slowest ms"
}
