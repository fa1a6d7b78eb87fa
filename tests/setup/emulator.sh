# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The emulator: Debian 13's QEMU with the libraries and firmware it needs, the same on every host. Before 8.2 QEMU crashes now and then
# when a processor touches a device whose memory another one maps just then (its commit 0d58c660689f). Needs cache.sh and buildroot.sh.

# emulator: the directory goes to $REPLY. In it: qemu-system-x86_64, which is started by libraries/ld-linux-x86-64.so.2; libraries;
# firmware.
emulator() {
        cache_make emulator "$(cache_key make_emulator)" "getting Debian 13's QEMU" make_emulator
}

# What is installed in the root to compile in for this stays there.
make_emulator() {
        local output=$1 tree
        buildroot trixie
        tree=$REPLY/tree
        in_root "$tree" sh -euc 'apt-get --quiet update
                apt-get --quiet --yes --no-install-recommends install qemu-system-x86
                rm -rf /tmp/emulator; mkdir -p /tmp/emulator/libraries /tmp/emulator/firmware; cd /tmp/emulator
                cp /usr/bin/qemu-system-x86_64 .
                ldd qemu-system-x86_64 | sed -n "s/^[^/]*\(\/[^ ]*\) (.*/\1/p" | sort -u | xargs cp -L -t libraries
                for file in bios-256k.bin kvmvapic.bin linuxboot_dma.bin multiboot_dma.bin; do
                        cp -L "$(find /usr/share/qemu /usr/share/seabios -name "$file" | head -n 1)" firmware
                done'
        cp -r "$tree/tmp/emulator/." "$output"
        as_root rm -rf "$tree/tmp/emulator"
}
