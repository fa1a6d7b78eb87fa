# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The root file system of the emulated machine: Debian 13, or for some Debian 12, with systemd, D-Bus and polkit, as a cpio archive that a kernel
# unpacks into memory. Owns what is in it and what is thrown out; kernel modules (kernel.sh) and the product with its lab
# cases (overlay.sh) are archives of their own, put behind this one. Needs cache.sh and mirror.sh.

ROOT_SUITE=trixie
ROOT_PACKAGES=systemd,systemd-sysv,udev,dbus,polkitd,kmod,pciutils,procps,libjson-c5,libpci3,iproute2,python3-minimal

# guest_root [SUITE]: the directory with root.cpio goes to $REPLY.
guest_root() {
        GUEST_SUITE=${1:-$ROOT_SUITE}
        cache_make "root-$GUEST_SUITE" "$(cache_key "$GUEST_SUITE" "$ROOT_PACKAGES" make_guest_root trim_guest_root pack_cpio make_root)" \
                "making the emulated machine's root file system (Debian $GUEST_SUITE, about a minute)" make_guest_root
}

make_guest_root() {
        local output=$1 tree
        tree=$(mktemp -d "$output/tree.XXXXXX")
        make_root "$tree" "$GUEST_SUITE" "$ROOT_PACKAGES"
        trim_guest_root "$tree"
        # The directory itself is the root directory, of root.
        as_root chown 0:0 "$tree"
        as_root chmod 755 "$tree"
        pack_cpio "$tree" "$output/root.cpio"
        as_root rm -rf "$tree"
}

# Every file costs boot time, because the whole root is unpacked by an emulated processor. Nothing is installed in the emulated
# machine, so the package manager goes, with what only it needs.
trim_guest_root() {
        local tree=$1
        as_root rm -rf "$tree"/usr/bin/{apt*,dpkg*,perl*,gpgv} "$tree"/usr/lib/{apt,dpkg} \
                "$tree"/usr/lib/x86_64-linux-gnu/{perl-base,gconv,libapt-*} "$tree"/var/{lib/apt,lib/dpkg,cache,log} \
                "$tree"/usr/share/{bash-completion,bug,doc,fish,i18n,info,locale,man,perl5,zsh,zoneinfo,lintian} \
                "$tree"/usr/lib/udev/hwdb.d "$tree"/usr/lib/udev/hwdb.bin "$tree"/usr/lib/systemd/catalog \
                "$tree"/etc/{apt,resolv.conf,hostname} "$tree"/boot
        as_root mkdir -p "$tree"/var/{cache,log,tmp}
        as_root ln -sf /usr/lib/systemd/systemd "$tree/init"
}

# pack_cpio TREE FILE: not compressed, because the emulated processor unpacks it and the host's disk is cheap.
pack_cpio() {
        as_root sh -c 'cd "$1" && find . -xdev -print0 | LC_ALL=C sort -z | cpio --null --create --format=newc --quiet' sh "$1" >"$2"
}
