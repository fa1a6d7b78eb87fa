# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case of several boots can say. It runs on the machine `lasting`, whose disk outlasts it: mounted at $LASTING, and
# $LASTING/etc also at /etc/vfiod. What else is to outlast a boot are the arguments that the case is run with in the next one, "$@",
# of which there are none in the first.

LASTING=/lasting
LASTING_JOURNAL=$LASTING/journal

# cut_power ARGUMENT...: QEMU is killed, and the disk forgets what it had not flushed.
cut_power() {
        end_boot cut "$@"
}

# reboot_in_order ARGUMENT...: by systemd, which stops what runs, with all that the journal says of it kept in $LASTING_JOURNAL.
reboot_in_order() {
        mkdir -p /var/log/journal
        mount --bind $LASTING_JOURNAL /var/log/journal
        journalctl --flush
        end_boot reboot "$@"
}

# end_boot HOW ARGUMENT...: does not return.
end_boot() {
        local how=$1
        shift
        {
                [ ! -e "$WORK/notes" ] || sed 's/^/@output /' "$WORK/notes"
                printf '@%s %s\n' "$how" "$*"
        } >/dev/ttyS1
        [ "$how" != reboot ] || systemctl --no-block reboot
        sleep infinity
}
