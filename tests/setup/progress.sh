# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the set-up says while it works: one line a step, a running clock where somebody is looking, the log where it failed.
# Owns the words on the terminal; knows nothing of what the steps do.

# say WORDS...: a plain line of the set-up.
say() {
        printf '%s\n' "$*"
}

# give_up WORDS...: the last line of a set-up that cannot go on.
give_up() {
        printf 'error: %s\n' "$*" >&2
        exit 1
}

# progress SENTENCE COMMAND...: runs COMMAND with its output kept aside. A terminal sees a clock and the newest line of the
# output; a file sees the sentence, a sign of life every half minute, and the time taken. The output is shown if it fails.
progress() {
        local sentence=$1 log started pid status=0
        shift
        log=$(mktemp)
        started=$SECONDS
        # Whatever our caller does about failures, the command stops at its first one.
        (
                set -e
                "$@"
        ) >"$log" 2>&1 </dev/null &
        pid=$!
        if [ -t 1 ]; then
                progress_clock "$pid" "$sentence" "$log" "$started"
        else
                printf '%s ...\n' "$sentence"
                progress_signs "$pid" "$sentence" "$started"
        fi
        wait "$pid" || status=$?
        if [ -t 1 ]; then
                printf '\r\033[K'
        fi
        if [ "$status" -eq 0 ]; then
                printf '%s: done in %d s\n' "$sentence" $((SECONDS - started))
        else
                printf '%s: FAILED (status %d). The end of its output:\n' "$sentence" "$status"
                tail -n 40 "$log" | sed 's/^/    /'
        fi
        rm -f "$log"
        return "$status"
}

progress_clock() {
        local pid=$1 sentence=$2 log=$3 started=$4 columns newest text
        columns=$(tput cols 2>/dev/null) || columns=80
        while kill -0 "$pid" 2>/dev/null; do
                newest=$(tail -c 400 "$log" | tr '\r\033' '\n ' | grep -v '^ *$' | tail -n 1) || true
                text="$sentence: $((SECONDS - started)) s  $newest"
                printf '\r\033[K%s' "${text:0:columns-1}"
                sleep 0.5
        done
}

progress_signs() {
        local pid=$1 sentence=$2 started=$3 next=30
        while kill -0 "$pid" 2>/dev/null; do
                sleep 0.2
                if ((SECONDS - started >= next)); then
                        printf '%s: %d s so far\n' "$sentence" $((SECONDS - started))
                        next=$((next + 30))
                fi
        done
}
