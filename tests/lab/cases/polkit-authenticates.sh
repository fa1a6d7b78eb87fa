# SPDX-License-Identifier: LGPL-2.1-or-later
# Who must authenticate is asked, in words that name the device, once for each device; and what is done follows the answer.

A=0000:03:01.0 B=0000:03:02.0

# binds ANSWER: alice binds the group, allowing the question (as busctl does), and her agent gives that answer. The agent must know
# the process beforehand, which therefore waits for it.
binds() {
        local caller agent
        rm -f "$WORK/gate" "$WORK/pid" "$WORK/asked"
        mkfifo "$WORK/gate"
        as alice sh -c 'echo "$$" >&3; read -r _; exec "$@"' sh \
                busctl call org.vfiod1 /org/vfiod1 org.vfiod1.Manager Bind 'asa{sv}' 1 $A 0 \
                <"$WORK/gate" 3>"$WORK/pid" >"$WORK/said" 2>&1 &
        caller=$!
        exec 4>"$WORK/gate"
        wait_until 20 test -s "$WORK/pid"
        "$LAB/polkit-agent" "$(<"$WORK/pid")" "$1" >"$WORK/asked" &
        agent=$!
        wait_until 20 grep -q ready "$WORK/asked"
        echo >&4
        exec 4>&-
        STATUS=0
        wait "$caller" || STATUS=$?
        kill "$agent"
        wait "$agent" || true
        cat "$WORK/asked" "$WORK/said"
}

binds no
expect "the call is refused when the question is dismissed" [ "$STATUS" -ne 0 ]
is "$(driver_of $A) $(driver_of $B)" "e1000 e1000"
contains "$(<"$WORK/asked")" "asked org.vfiod1.bind Authentication is required to move the device $A from its host driver to VFIO"
lacks "$(<"$WORK/asked")" $B "the first no is the last question"

binds yes
is "$STATUS" 0 "the call succeeds after the password"
is "$(driver_of $A) $(driver_of $B)" "vfio-pci vfio-pci"
contains "$(<"$WORK/asked")" "the device $A from its host driver"
contains "$(<"$WORK/asked")" "the device $B from its host driver" "what was given for one device is not good for the other"
vfioctl unbind $A

# The same of somebody who may not be asked.
refused org.freedesktop.DBus.Error.InteractiveAuthorizationRequired as alice vfioctl --no-ask-password bind $A
is "$(driver_of $A) $(driver_of $B)" "e1000 e1000"
