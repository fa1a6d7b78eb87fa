# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case can say. A case is a bash script that runs as root on the emulated machine with this file read first; it
# passes if it reaches its end. What it starts is ended, and what it did to the machine is checked, by run-cases.

LAB=/usr/lib/vfiod-lab
# A directory of the case's own, gone after it.
WORK=/run/vfiod-lab/case
# shellcheck disable=SC2034 # for the cases
VFIO_USER=$LAB/vfio-user
# shellcheck source=tests/lab/guest/polkit.sh
. "$LAB/polkit.sh"
# shellcheck source=tests/lab/guest/machine-state.sh
. "$LAB/machine-state.sh"
# shellcheck source=tests/lab/guest/host.sh
. "$LAB/host.sh"
# shellcheck source=tests/lab/guest/holders.sh
. "$LAB/holders.sh"
# shellcheck source=tests/lab/guest/hostile.sh
. "$LAB/hostile.sh"
# shellcheck source=tests/lab/guest/assigned.sh
. "$LAB/assigned.sh"
# shellcheck source=tests/lab/guest/inspect.sh
. "$LAB/inspect.sh"
# shellcheck source=tests/lab/guest/kill.sh
. "$LAB/kill.sh"
# shellcheck source=tests/lab/guest/load.sh
. "$LAB/load.sh"
# shellcheck source=tests/lab/guest/noiommu.sh
. "$LAB/noiommu.sh"
# shellcheck source=tests/lab/guest/rebound.sh
. "$LAB/rebound.sh"
# shellcheck source=tests/lab/guest/state.sh
. "$LAB/state.sh"
# shellcheck source=tests/lab/guest/vm.sh
. "$LAB/vm.sh"
# shellcheck source=tests/lab/guest/deb.sh
. "$LAB/deb.sh"
# shellcheck source=tests/lab/guest/boots.sh
. "$LAB/boots.sh"
# shellcheck source=tests/lab/guest/power-cut.sh
. "$LAB/power-cut.sh"

# --- who

# as USER COMMAND...: as root, alice, bob or carol. The last three are ordinary users, members of no group but their own; alice and
# bob of vfio, too.
as() {
        local user=$1
        shift
        if [ "$user" = root ]; then
                "$@"
        else
                setpriv --reuid="$user" --regid="$user" --init-groups --reset-env "$@"
        fi
}

# allow USER ACTION...: a polkit rule: this user may do org.vfiod1.ACTION with every device.
allow() {
        local user=$1 action
        shift
        for action; do
                printf 'polkit.addRule(function(action, subject) {\n'
                printf '    if (subject.user == "%s" && action.id == "org.vfiod1.%s")\n' "$user" "$action"
                printf '        return polkit.Result.YES;\n});\n'
        done >"$WORK/allow.rules"
        polkit_rule <"$WORK/allow.rules"
}

# allow_device USER DEVICE ACTION...: the same, with this device alone.
allow_device() {
        local user=$1 device=$2 action
        shift 2
        for action; do
                printf 'polkit.addRule(function(action, subject) {\n'
                printf '    if (subject.user == "%s" && action.id == "org.vfiod1.%s" &&\n' "$user" "$action"
                printf '        action.lookup("device") == "%s")\n        return polkit.Result.YES;\n});\n' "$device"
        done >"$WORK/allow.rules"
        polkit_rule <"$WORK/allow.rules"
}

# configure JSON: vfiod's configuration for this case; to be called before vfiod is started.
configure() {
        mkdir -p /run/vfiod-lab/etc /etc/vfiod
        printf '%s\n' "$1" >/etc/vfiod/vfiod.json
}

# --- what must be so

fail() {
        printf 'NOT SO: %s\n' "$*" >&2
        exit 1
}

# skip WORDS...: ends a case which does not apply to this machine.
skip() {
        printf 'skipped: %s\n' "$*"
        exit 77
}

# note WORDS...: a line of the report, also where the case passes: what it measured.
note() {
        printf '%s\n' "$*" | tee -a "$WORK/notes"
}

# expect SENTENCE COMMAND...: the command succeeds.
expect() {
        local sentence=$1
        shift
        "$@" || fail "$sentence (status $? of: $*)"
}

# refused TEXT COMMAND...: the command fails, and says TEXT (the name of an error, usually) on its standard error.
refused() {
        local text=$1 status=0 words
        shift
        words=$("$@" 2>&1 >/dev/null) || status=$?
        printf '%s\n' "$words"
        [ "$status" -ne 0 ] || fail "refused with $text: $* (it succeeded)"
        [[ $words == *"$text"* ]] || fail "refused with $text: $* (it said: $words)"
}

# is ACTUAL EXPECTED [SENTENCE]
is() {
        [ "$1" = "$2" ] || fail "${3:-they are equal}: expected '$2', actually '$1'"
}

# contains TEXT PART [SENTENCE]
contains() {
        [[ $1 == *"$2"* ]] || fail "${3:-it contains '$2'}: it is '$1'"
}

# lacks TEXT PART [SENTENCE]
lacks() {
        [[ $1 != *"$2"* ]] || fail "${3:-it does not contain '$2'}: it is '$1'"
}

# wait_until SECONDS COMMAND...: tries it again until it succeeds. The seconds are those of a machine that is as fast as ours; a
# slower one has more, since nothing is late here before it has failed.
wait_until() {
        local seconds=$(($1 * 4)) deadline
        deadline=$((SECONDS + seconds))
        shift
        until "$@"; do
                ((SECONDS < deadline)) || fail "within $seconds s: $*"
                sleep 0.1
        done
}

# --- what the machine says

# driver_of ADDRESS: the driver's name, or "none".
driver_of() {
        local link
        [ -e "/sys/bus/pci/devices/$1" ] || fail "there is a device $1"
        link=$(readlink "/sys/bus/pci/devices/$1/driver") || link=none
        echo "${link##*/}"
}

# override_of ADDRESS: its driver_override, or "none".
override_of() {
        local override
        override=$(<"/sys/bus/pci/devices/$1/driver_override")
        [ "$override" != "(null)" ] || override=none
        echo "$override"
}

# group_of ADDRESS: the number of its IOMMU group.
group_of() {
        local link
        link=$(readlink "/sys/bus/pci/devices/$1/iommu_group") || fail "$1 has an IOMMU group"
        echo "${link##*/}"
}

# members_of GROUP: their addresses, on one line.
members_of() {
        find "/sys/kernel/iommu_groups/$1/devices" -type l -printf '%f\n' | LC_ALL=C sort | paste -sd ' '
}

present() {
        [ -e "/sys/bus/pci/devices/$1" ]
}

absent() {
        ! present "$1"
}

# unchanged COMMAND...: whatever the command's own status, no driver, override or group on the machine is another one after it.
unchanged() {
        machine_state >"$WORK/unchanged.before"
        "$@" || true
        machine_state >"$WORK/unchanged.after"
        cmp -s "$WORK/unchanged.before" "$WORK/unchanged.after" ||
                fail "$* changes nothing: $(state_difference "$WORK/unchanged.before" "$WORK/unchanged.after")"
}

# --- what goes on meanwhile

# background NAME COMMAND...: starts it; what it writes is in $WORK/NAME.out. Without a shell in between, so that pid_of is it.
background() {
        local name=$1
        shift
        case "$1 ${2:-}" in
        "as root") set -- "${@:3}" ;;
        "as "*) set -- setpriv --reuid="$2" --regid="$2" --init-groups --reset-env "${@:3}" ;;
        esac
        # Now and not by the child, whose predecessor of the same name would be heard until then.
        : >"$WORK/$name.out"
        "$@" >>"$WORK/$name.out" 2>&1 &
        printf '%s\n' "$!" >"$WORK/$name.pid"
}

# pid_of NAME: the process that `background` started.
pid_of() {
        cat "$WORK/$1.pid"
}

# said NAME TEXT: it has written that by now.
said() {
        grep -qF -- "$2" "$WORK/$1.out"
}

# gone NAME: it has ended.
gone() {
        ! kill -0 "$(pid_of "$1")" 2>/dev/null
}

# finish NAME: sends it SIGTERM and waits for its end; its output is shown. Its status does not count.
finish() {
        local pid
        pid=$(pid_of "$1")
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" || true
        cat "$WORK/$1.out"
}

# --- the host around the machine

# host COMMAND...: a command of QEMU's monitor, for instance
#       host device_add e1000e,id=hot0,bus=hp1
#       host device_del hot0
#       host pcie_aer_inject_error nic0 COMP_ABORT
# Prints what the monitor says; fails if that is an error.
host() {
        ask_host "$@" || fail "host $*"
}

# --- what the demo says (and a case does not need)

STEPS=0
STEPS_AS_EXPECTED=0

# step SENTENCE COMMAND...: shows the sentence, the command as somebody would type it, and what it prints. A command that
# starts with `as USER` is shown at that user's prompt. The output stays in $SHOWN for what must be in it.
step() {
        step_with_status 0 "$@"
}

# step_refused SENTENCE COMMAND...: as step, and the command must fail.
step_refused() {
        step_with_status refused "$@"
}

step_with_status() {
        local expected=$1 sentence=$2 status=0 prompt='root#'
        shift 2
        STEPS=$((STEPS + 1))
        printf '\n%d. %s\n' "$STEPS" "$sentence"
        if [ "$1" = as ]; then
                prompt="$2\$"
                printf '   %s %s\n' "$prompt" "$(typed "${@:3}")"
        else
                printf '   %s %s\n' "$prompt" "$(typed "$@")"
        fi
        SHOWN=$("$@" 2>&1) || status=$?
        [ -z "$SHOWN" ] || printf '%s\n' "$SHOWN" | sed 's/^/   /'
        STEP_AS_EXPECTED=yes
        case $expected/$status in
        0/0) ;;
        0/*) not_as_expected "it ended with status $status" ;;
        refused/0) not_as_expected "it was not refused" ;;
        esac
        [ "$STEP_AS_EXPECTED" = no ] || STEPS_AS_EXPECTED=$((STEPS_AS_EXPECTED + 1))
}

# shows TEXT...: the last step printed all of these.
shows() {
        local text
        for text in "$@"; do
                [[ $SHOWN == *"$text"* ]] || not_as_expected "it did not say '$text'"
        done
}

# holds ACTUAL EXPECTED WHAT: a fact about the machine after the last step, shown as well.
holds() {
        if [ "$1" = "$2" ]; then
                printf '   (%s: %s)\n' "$3" "$1"
        else
                not_as_expected "$3: $1, not $2"
        fi
}

not_as_expected() {
        printf '   NOT AS EXPECTED: %s\n' "$*"
        [ "$STEP_AS_EXPECTED" = no ] || [ "$STEPS_AS_EXPECTED" -lt "$STEPS" ] || STEPS_AS_EXPECTED=$((STEPS_AS_EXPECTED - 1))
        STEP_AS_EXPECTED=no
}

# typed WORD...: the command line, quoted only where a shell needs it.
typed() {
        local word line=""
        for word in "$@"; do
                case $word in
                *[!a-zA-Z0-9_./:=,@%+{}-]* | "") word="'$word'" ;;
                esac
                line+="${line:+ }$word"
        done
        printf '%s' "$line"
}

# steps_done: the demo's last line, and its status.
steps_done() {
        printf '\ndemo: %d of %d steps as expected\n' "$STEPS_AS_EXPECTED" "$STEPS"
        [ "$STEPS_AS_EXPECTED" -eq "$STEPS" ]
}

say_where_it_failed() {
        printf 'NOT SO: line %d: %s\n' "$1" "$2" >&2
}
