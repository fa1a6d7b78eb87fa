# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The totals over every kind of check, and going on after a failure. Owns counting and the last lines; knows no check.

# Lines of `passed failed`, one for each part that has counted something.
TOTALS=$(mktemp)
# What has failed, a line each. It is said once more at the end, because whoever reads a log of thousands of lines reads that.
FAILURES=$(mktemp)

# counts PASSED FAILED: adds to the totals.
counts() {
        printf '%d %d\n' "$1" "$2" >>"$TOTALS"
}

# fails SENTENCE: one failure, with its name.
fails() {
        counts 0 1
        printf '%s\n' "$1" >>"$FAILURES"
        printf 'FAIL  %s\n' "$1"
}

# counts_of WHAT COMMAND...: runs it with `--totals FILE` behind, and adds what it has written there: a line `PASSED FAILED`, then a
# line for each thing that failed. What has written nothing broke off, having said why. The status is the command's.
counts_of() {
        local what=$1 totals passed failed status=0
        shift
        totals=$(mktemp)
        "$@" --totals "$totals" || status=$?
        if [ -s "$totals" ] && read -r passed failed <"$totals"; then
                counts "$passed" "$failed"
                say "$what: $passed passed, $failed failed"
                sed "1d; s/^/$what: /" "$totals" >>"$FAILURES"
        else
                fails "$what: broken off"
        fi
        rm -f "$totals"
        return "$status"
}

# checks SENTENCE COMMAND...: one check that is passed if the command succeeds; $CHECKED is then yes, else no. Its output is
# shown only if it fails.
checks() {
        local sentence=$1 status
        # Not in an `if`: bash would then ignore failures in the middle of the command.
        set +e
        progress "$@"
        status=$?
        set -e
        if [ "$status" -eq 0 ]; then
                CHECKED=yes
                counts 1 0
        else
                # shellcheck disable=SC2034 # for the caller
                CHECKED=no
                fails "$sentence"
        fi
}

# part TITLE FUNCTION...: runs it, and goes on after it. A part that breaks off counts as a failure of its own, for what it did
# not get to.
part() {
        local title=$1 status
        shift
        printf '\n=== %s\n' "$title"
        set +e
        (
                set -e
                "$@"
        )
        status=$?
        set -e
        if [ "$status" -ne 0 ]; then
                fails "$title: broken off (status $status)"
        fi
}

# say_totals: what failed, and the last line; its status is the verdict.
say_totals() {
        local passed failed
        read -r passed failed < <(awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }' "$TOTALS")
        [ ! -s "$FAILURES" ] || { printf '\nwhat failed:\n' && sed 's/^/  /' "$FAILURES"; }
        rm -f "$TOTALS" "$FAILURES"
        printf '\n%d passed, %d failed\n' "$passed" "$failed"
        [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
