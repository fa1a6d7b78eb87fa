# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Where made things are kept between runs, outside the checkout: a directory for each artefact, named after a hash of what made
# it. Owns making once, atomically, under a lock, and throwing away what is no longer used. Needs progress.sh and packages.sh.

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/vfiod-lab

# cache_key THING...: a hash over its arguments; a file's name stands for its content, a function's for its body (comments in
# it do not count), anything else for itself.
cache_key() {
        local thing
        for thing in "$@"; do
                if [ -f "$thing" ]; then
                        cat "$thing"
                elif declare -F "$thing" >/dev/null; then
                        declare -f "$thing"
                else
                        printf '%s\n' "$thing"
                fi
        done | sha256sum | cut -c1-16
}

# cache_make NAME KEY SENTENCE FUNCTION: the directory of the artefact goes to $REPLY; FUNCTION DIRECTORY fills it if it is not
# there yet. What FUNCTION leaves half done is never seen: the directory gets its name only when it is complete.
cache_make() {
        local name=$1 key=$2 sentence=$3 function=$4 lock unfinished
        REPLY=$CACHE/$name-$key
        mkdir -p "$CACHE"
        if [ ! -d "$REPLY" ]; then
                exec {lock}>"$CACHE/$name.lock"
                if ! flock -n "$lock"; then
                        say "another run is making '$name': waiting for it"
                        flock "$lock"
                fi
                if [ ! -d "$REPLY" ]; then
                        as_root rm -rf "$CACHE/unfinished-$name".*
                        unfinished=$(mktemp -d "$CACHE/unfinished-$name.XXXXXX")
                        chmod 755 "$unfinished"
                        progress "$sentence" "$function" "$unfinished"
                        mv -T "$unfinished" "$REPLY"
                        cache_forget_old "$name"
                fi
                exec {lock}>&-
        fi
        touch "$REPLY"
}

# cache_forget_old NAME: removes the artefacts of that name which nobody has used for a week.
cache_forget_old() {
        local old
        find "$CACHE" -maxdepth 1 -type d -name "$1-????????????????" -mtime +7 -print0 |
                while IFS= read -r -d '' old; do
                        as_root rm -rf "$old"
                done
}
