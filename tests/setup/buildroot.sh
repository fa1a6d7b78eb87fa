# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Roots to compile in: Debian 12 and Debian 13 with compilers and the libraries' headers, entered with chroot. What runs in the
# emulated machine is always built in the one of its own release, so that it is the same on every host. Needs cache.sh, mirror.sh.

# buildroot SUITE: the directory of the root, as `$REPLY/tree`.
buildroot() {
        local suite=$1
        BUILDROOT_SUITE=$suite
        cache_make "buildroot-$suite" "$(cache_key "$suite" "$(buildroot_packages "$suite")" make_buildroot make_root)" \
                "making a root to compile in (Debian $suite, a few minutes)" make_buildroot
}

# Debian 13's also compiles the lab kernel, and has the tools of the style checks and lintian, whose verdict must not depend on the host.
buildroot_packages() {
        local packages=debian-archive-keyring,gcc,clang,meson,ninja-build,pkgconf,libc6-dev,libsystemd-dev,libudev-dev,libjson-c-dev,libpci-dev,check,systemd,python3,debhelper
        case $1 in
        bookworm) echo "$packages,cpio" ;;
        *) echo "$packages,systemd-dev,libclang-rt-dev,clang-format,shellcheck,make,flex,bison,bc,libelf-dev,libssl-dev,kmod,xz-utils,lz4,cpio,lintian" ;;
        esac
}

make_buildroot() {
        local output=$1
        as_root mkdir "$output/tree"
        make_root "$output/tree" "$BUILDROOT_SUITE" "$(buildroot_packages "$BUILDROOT_SUITE")"
}

# with_clean_environment COMMAND...: as root.
with_clean_environment() {
        as_root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" "$@"
}

# in_root TREE COMMAND...: runs it there as root, with the names of the network. Nothing is mounted there, not even /proc: a
# machine that is itself a chroot could not keep such a mount to itself, and nothing that is run there needs one.
in_root() {
        local tree=$1
        shift
        as_root cp -L /etc/resolv.conf "$tree/etc/resolv.conf" 2>/dev/null || true
        with_clean_environment chroot "$tree" "$@"
}

# in_root_with_proc TREE COMMAND...: the same for what looks at itself: with /proc and terminals, in mounts of its own, which a
# machine has that is not itself a chroot.
in_root_with_proc() {
        local tree=$1
        shift
        # shellcheck disable=SC2016 # for the shell of its own
        with_clean_environment unshare --mount sh -euc 'mount -t proc proc "$1/proc"
                mkdir -p "$1/dev/pts"; mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
                mount --bind "$1/dev/pts/ptmx" "$1/dev/ptmx"; exec chroot "$@"' sh "$tree" "$@"
}
