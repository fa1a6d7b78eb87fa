# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What only the measurements need on the emulated machine: the tools that vfiod is compared with, driverctl and dpdk-devbind.py
# from their Debian packages, and all of Python. Needs cache.sh, buildroot.sh and root.sh.

# peers_overlay: the archive goes to $REPLY.
peers_overlay() {
        cache_make peers "$(cache_key make_peers pack_cpio)" "getting the tools to compare with (driverctl, dpdk-devbind)" make_peers
        REPLY=$REPLY/peers.cpio
}

make_peers() {
        local output=$1 tree stage
        buildroot trixie
        tree=$REPLY/tree
        stage=$(mktemp -d "$output/stage.XXXXXX")
        in_root "$tree" sh -euc 'rm -rf /tmp/peers; mkdir -p /tmp/peers/root /tmp/peers/debs; cd /tmp/peers/debs
                chmod 777 .; apt-get --quiet update; apt-get --quiet download driverctl dpdk
                for deb in *.deb; do dpkg-deb -x "$deb" /tmp/peers/root; done'
        as_root mkdir -p "$stage/usr/bin" "$stage/usr/lib"
        as_root cp -a "$tree"/usr/lib/python3* "$stage/usr/lib/"
        as_root rm -rf "$stage"/usr/lib/python3/dist-packages
        as_root find "$tree/tmp/peers/root" -name driverctl -type f -path '*bin*' -exec cp '{}' "$stage/usr/bin/driverctl" ';'
        as_root find "$tree/tmp/peers/root" -name dpdk-devbind.py -exec cp '{}' "$stage/usr/bin/dpdk-devbind.py" ';'
        as_root chmod 755 "$stage"/usr/bin/*
        # The archive has an entry for the root directory itself.
        as_root chmod 755 "$stage"
        pack_cpio "$stage" "$output/peers.cpio"
        as_root rm -rf "$stage" "$tree/tmp/peers"
}
