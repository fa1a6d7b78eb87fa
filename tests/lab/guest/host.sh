# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Commands for QEMU's monitor from inside the machine, over the channel that run-cases has with the host (its other user, which
# is silent while a case runs). Owns the question and the answer, and remembers which devices were plugged in.

HOTPLUGGED=/run/vfiod-lab/hotplugged

# ask_host COMMAND...: what the monitor prints goes to standard output, an error to standard error.
ask_host() {
        ask host "$@" || return
        if [ "$1" = device_add ]; then
                printf '%s\n' "$2" | sed -n 's/.*\bid=\([^,]*\).*/\1/p' >>"$HOTPLUGGED"
        fi
}

# ask WHOM COMMAND...: the same of the monitor (host) or the machine's disk (disk; tests/lab/host/disk.py).
ask() {
        local answer channel lock whom=$1
        shift
        exec {lock}>/run/vfiod-lab/host.lock {channel}<>/dev/ttyS1
        flock "$lock"
        printf '@%s %s\n' "$whom" "$*" >&"$channel"
        IFS= read -r -t 1500 answer <&"$channel" || answer="answer failed the host did not answer in 1500 s"
        exec {lock}>&- {channel}>&-
        case $answer in
        "answer ok "*) printf '%b' "${answer#answer ok }" ;;
        *)
                printf '%s %s: %s\n' "$whom" "$*" "${answer#answer failed }" >&2
                return 1
                ;;
        esac
}

# unplug_leftovers: takes out what was plugged in and is still there; a device that is gone already is no matter.
unplug_leftovers() {
        local name
        [ -e "$HOTPLUGGED" ] || return 0
        while read -r name; do
                ask_host device_del "$name" 2>/dev/null
        done <"$HOTPLUGGED"
        rm "$HOTPLUGGED"
}
