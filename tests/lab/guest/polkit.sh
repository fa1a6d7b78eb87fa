# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Rules for polkitd that last as long as a case, with certainty that polkitd has read them: it reloads them when it sees the
# file, some time later, so each file carries a second rule, for an action of the lab's own, that is asked about until it answers.

POLKIT_RULES=/etc/polkit-1/rules.d
POLKIT_PROBE=org.vfiod-lab.probe

# polkit_rule: installs the JavaScript on standard input as a rule file.
polkit_rule() {
        local name waiting
        name=50-$EPOCHREALTIME-lab-case
        {
                cat
                printf 'polkit.addRule(function(action) {\n'
                printf '    if (action.id == "%s" && action.lookup("file") == "%s")\n' "$POLKIT_PROBE" "$name"
                printf '        return polkit.Result.YES;\n});\n'
        } >"$POLKIT_RULES/.$name"
        chmod 644 "$POLKIT_RULES/.$name"
        mv "$POLKIT_RULES/.$name" "$POLKIT_RULES/$name.rules"
        for waiting in {1..100}; do
                if polkit_has_read "$name"; then
                        return 0
                fi
                sleep 0.1
        done
        echo "polkitd did not take the rule in $waiting tenths of a second" >&2
        return 1
}

# polkit_forget_rules: removes them all, and waits till polkitd has forgotten them.
polkit_forget_rules() {
        local file name
        for file in "$POLKIT_RULES"/*-lab-case.rules; do
                [ -e "$file" ] || continue
                name=$(basename "$file" .rules)
                rm "$file"
                for _ in {1..100}; do
                        polkit_has_read "$name" || break
                        sleep 0.1
                done
        done
}

# The question is about a process of somebody who is not root, because root may do everything.
polkit_has_read() {
        local subject status=0
        setpriv --reuid=carol --regid=carol --clear-groups sleep 30 &
        subject=$!
        # Until then it is still ours.
        until [ "$(<"/proc/$subject/comm")" = sleep ]; do sleep 0.02; done
        pkcheck --action-id "$POLKIT_PROBE" --process "$subject" --detail file "$1" >/dev/null 2>&1 || status=$?
        kill "$subject"
        wait "$subject" 2>/dev/null || true
        return "$status"
}
