#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vfiod by busctl(1) alone: what can be done so, and what cannot.
#
#       acquire.sh DEVICE
#
# Everything but keeping files: busctl closes those of a reply when it ends, so that a lease it acquires ends with it. Whoever wants to
# hold one from a shell says `vfioctl acquire`, or `vfioctl exec` to start a program with the files.
set -euo pipefail

DEVICE=${1:?usage: acquire.sh DEVICE}

# say SENTENCE, then the call as one would type it, and what it answers.
call() {
        printf '\n# %s\n$ busctl %s\n' "$1" "${*:2}"
        busctl "${@:2}"
}

MANAGER=(org.vfiod1 /org/vfiod1 org.vfiod1.Manager)

call "The groups of this machine, and their devices" --json=short call "${MANAGER[@]}" Overview
call "All about the device" --json=short call "${MANAGER[@]}" GetDevice s "$DEVICE"
call "What stands in the way of its group" --json=short call "${MANAGER[@]}" Explain as 1 "$DEVICE"
call "What binding it would do" call "${MANAGER[@]}" Plan 'sasa{sv}' bind 1 "$DEVICE" 0
call "Bind its group" call "${MANAGER[@]}" Bind 'asa{sv}' 1 "$DEVICE" 0
call "What acquiring it would do" call "${MANAGER[@]}" Plan 'sasa{sv}' acquire 1 "$DEVICE" 0

reply=$(call "Acquire it. No files are sent with defer_fds, but lease_fd is, and busctl closes it" \
        call "${MANAGER[@]}" Acquire 'asa{sv}' 1 "$DEVICE" 2 defer_fds b true label s acquire.sh)
printf '%s\n' "$reply"
lease=$(grep -o '/org/vfiod1/lease/[0-9]*' <<<"$reply")
while busctl get-property org.vfiod1 "$lease" org.vfiod1.Lease State 2>/dev/null; do
        sleep 0.1
done
printf '%s is over already.\n' "$lease"

printf '\n# One that lasts, because another program holds it\n$ vfioctl acquire %s\n' "$DEVICE"
coproc HOLDER { exec vfioctl acquire --label=acquire.sh "$DEVICE"; }
holder=$HOLDER_PID
read -r _ lease <&"${HOLDER[0]}"
printf '%s\n' "$lease"
call "What is told of it" get-property org.vfiod1 "$lease" org.vfiod1.Lease State Mode Prepare Groups Devices DeviceIds IovaRanges
call "Its files once more; closed at once as before, and the lease is still there" call org.vfiod1 "$lease" org.vfiod1.Lease GetFds uu 0 0
call "It is" get-property org.vfiod1 "$lease" org.vfiod1.Lease State
call "End it" call org.vfiod1 "$lease" org.vfiod1.Lease Release
wait "$holder" || true # its status says that the lease has ended

call "Back to its driver, as soon as nobody has it" \
        call "${MANAGER[@]}" Unbind 'asa{sv}' 1 "$DEVICE" 2 policy s wait timeout t 20000
