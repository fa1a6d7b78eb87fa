# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What only machines that run VMs of their own have: the emulator that they run in themselves, and all of Python to talk to it, with
# GLib's D-Bus for the examples. Needs cache.sh, buildroot.sh, emulator.sh and root.sh.

# vm_archive: the directory with vm.cpio goes to $REPLY.
vm_archive() {
        emulator
        VM_EMULATOR=$REPLY
        cache_make vm "$(cache_key make_emulator make_vm pack_cpio)" "getting Debian 13's QEMU and Python's GLib for the emulated machine" make_vm
}

# The root to compile in is the same release; what is installed there for this stays there.
make_vm() {
        local output=$1 tree stage
        buildroot trixie
        tree=$REPLY/tree
        stage=$(mktemp -d "$output/stage.XXXXXX")
        in_root "$tree" sh -euc 'apt-get --quiet update
                apt-get --quiet --yes --no-install-recommends install python3-gi gir1.2-glib-2.0
                rm -rf /tmp/vm; mkdir -p /tmp/vm/libraries
                ldd /usr/lib/python3/dist-packages/gi/*.so |
                        sed -n "s/.*=> \(\/[^ ]*\).*/\1/p" | sort -u | grep -v /libc.so | xargs cp -L -t /tmp/vm/libraries'
        as_root mkdir -p "$stage/usr/bin" "$stage/usr/lib/x86_64-linux-gnu" "$stage/usr/share/qemu"
        as_root cp -a "$tree"/usr/lib/python3* "$stage/usr/lib/"
        as_root find "$stage/usr/lib/python3/dist-packages" -mindepth 1 -maxdepth 1 ! -name gi -exec rm -rf {} +
        as_root cp -a "$tree/usr/lib/x86_64-linux-gnu/girepository-1.0" "$stage/usr/lib/x86_64-linux-gnu/"
        as_root cp "$VM_EMULATOR/qemu-system-x86_64" "$stage/usr/bin/"
        as_root cp "$VM_EMULATOR"/libraries/* "$stage/usr/lib/x86_64-linux-gnu/"
        as_root cp "$tree"/tmp/vm/libraries/* "$stage/usr/lib/x86_64-linux-gnu/"
        as_root rm "$stage"/usr/lib/x86_64-linux-gnu/{libc.so.*,ld-linux*}
        as_root cp "$VM_EMULATOR"/firmware/* "$stage/usr/share/qemu/"
        # The archive has an entry for the root directory itself.
        as_root chmod 755 "$stage"
        pack_cpio "$stage" "$output/vm.cpio"
        as_root rm -rf "$stage" "$tree/tmp/vm"
}
