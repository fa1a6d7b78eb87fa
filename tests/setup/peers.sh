# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the measurements, and the machine driverctl, need besides: the tools that vfiod is compared with, driverctl, dpdk-devbind.py,
# lsof and fuser from their Debian packages, and all of Python. Needs cache.sh, buildroot.sh and root.sh.

# peers_overlay: the archive goes to $REPLY.
peers_overlay() {
        cache_make peers "$(cache_key make_peers pack_cpio)" "getting the tools to compare with (driverctl, dpdk-devbind, lsof, fuser)" make_peers
        REPLY=$REPLY/peers.cpio
}

make_peers() {
        local output=$1 tree stage
        buildroot trixie
        tree=$REPLY/tree
        stage=$(mktemp -d "$output/stage.XXXXXX")
        in_root "$tree" sh -euc 'rm -rf /tmp/peers; mkdir -p /tmp/peers/root /tmp/peers/debs; cd /tmp/peers/debs
                chmod 777 .; apt-get --quiet update; apt-get --quiet download driverctl dpdk
                for deb in *.deb; do dpkg-deb -x "$deb" /tmp/peers/root; done
                apt-get --quiet --yes --no-install-recommends install lsof psmisc; mkdir /tmp/peers/libraries
                ldd /usr/bin/lsof /usr/bin/fuser | sed -n "s/.*=> \(\/[^ ]*\).*/\1/p" | sort -u | grep -v /libc.so |
                        xargs cp -L -t /tmp/peers/libraries'
        as_root mkdir -p "$stage/usr/bin" "$stage/usr/lib/x86_64-linux-gnu"
        as_root cp -a "$tree"/usr/lib/python3* "$stage/usr/lib/"
        as_root rm -rf "$stage"/usr/lib/python3/dist-packages
        as_root find "$tree/tmp/peers/root" -name driverctl -type f -path '*bin*' -exec cp '{}' "$stage/usr/bin/driverctl" ';'
        as_root find "$tree/tmp/peers/root" -name dpdk-devbind.py -exec cp '{}' "$stage/usr/bin/dpdk-devbind.py" ';'
        as_root cp "$tree"/usr/bin/{lsof,fuser} "$stage/usr/bin/"
        as_root cp "$tree"/tmp/peers/libraries/* "$stage/usr/lib/x86_64-linux-gnu/"
        as_root chmod 755 "$stage"/usr/bin/*
        # The archive has an entry for the root directory itself.
        as_root chmod 755 "$stage"
        pack_cpio "$stage" "$output/peers.cpio"
        as_root rm -rf "$stage" "$tree/tmp/peers"
}
