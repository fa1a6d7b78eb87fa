#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be said of the units without starting them: they are well-formed, the sandbox is as tight as promised, and what the bus
# and the socket are told agrees with protocol/. That everything works in that sandbox is shown in the lab (unit-*).
#
#       check-units.sh BUILD_ROOT SOURCE_ROOT
set -eu

BUILD=$1
SOURCE=$2
# Of systemd-analyze(1), in tenths: systemd-logind has 30, udisks2 and libvirtd 96.
EXPOSURE_MAX=25
COPY=$(mktemp -d)
trap 'rm -rf "$COPY"' EXIT
FAILED=0

complain() {
        echo "$*" >&2
        FAILED=1
}

# A unit that is not installed names a daemon that is not there: the copy names the one that was built. Settings that this systemd
# is too old for are ignored by it, but not by verify.
version=$(systemd-analyze --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
too_new=^$
[ "$version" -ge 254 ] || too_new=^FileDescriptorStorePreserve=
for unit in vfiod.service vfiod.socket; do
        sed -e "s,=[^ ]*/vfiod\( \|$\),=$BUILD/daemon/vfiod\1," -e "/$too_new/d" "$BUILD/systemd/$unit" >"$COPY/$unit"
done
words=$(systemd-analyze verify --man=no --recursive-errors=no "$COPY/vfiod.service" "$COPY/vfiod.socket" 2>&1) ||
        complain "systemd-analyze verify fails"
[ -z "$words" ] || complain "systemd-analyze verify: $words"

words=$(systemd-analyze security --no-pager --offline=true --threshold=$EXPOSURE_MAX "$COPY/vfiod.service") ||
        complain "the exposure is more than $EXPOSURE_MAX tenths: $words"
case $words in
*"exposure level for vfiod.service"*) ;;
*) complain "systemd-analyze security did not judge the unit: $words" ;;
esac

for file in "$SOURCE"/protocol/org.vfiod1.*.xml; do
        interface=$(basename "$file" .xml)
        grep -qF "<allow send_destination=\"org.vfiod1\" send_interface=\"$interface\"/>" "$SOURCE/systemd/org.vfiod1.conf" ||
                complain "org.vfiod1.conf does not let anybody call $interface"
done

# constant NAME: what it is in protocol/names.h.
constant() {
        sed -n "s/^#define $1 \"\(.*\)\"\$/\1/p" "$SOURCE/protocol/names.h"
}
for setting in "FileDescriptorName=$(constant VFIOD_SOCKET_FD_NAME)" "SocketGroup=$(constant VFIOD_SOCKET_GROUP)"; do
        grep -qx "$setting" "$BUILD/systemd/vfiod.socket" || complain "vfiod.socket: it does not say $setting"
done
grep -q "^g $(constant VFIOD_SOCKET_GROUP) " "$SOURCE/systemd/vfiod.sysusers" || complain "vfiod.sysusers: it does not make the socket's group"

cases=$SOURCE/tests/lab/cases/unit-capabilities.sh
capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$BUILD/systemd/vfiod.service" | tr '[:upper:]' '[:lower:]')
[ -n "$capabilities" ] || complain "vfiod.service: no CapabilityBoundingSet="
for capability in $capabilities; do
        grep -q "^works_with_$capability()" "$cases" || complain "$capability: unit-capabilities.sh does not show what it is for"
done
exit "$FAILED"
