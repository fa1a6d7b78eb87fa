# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The packages that this machine needs, and being root. Owns apt on this machine; the roots made for building and for the
# emulated machine have their own lists (root.sh, buildroot.sh). Needs
# progress.sh and mirror.sh.

# Where an ordinary user's PATH ends.
PATH=$PATH:/usr/sbin:/sbin

# as_root COMMAND...: runs it as root, through sudo where we are not.
as_root() {
        if [ "$(id -u)" -eq 0 ]; then
                "$@"
        elif command -v sudo >/dev/null; then
                sudo "$@"
        else
                give_up "this needs root or sudo: $*"
        fi
}

# need_debian: refuses a machine that the set-up does not know. A root that was just entered with chroot may have no /proc.
need_debian() {
        if ! [ -e /proc/self/fd ]; then
                say "mounting /proc, which is not there"
                as_root mount -t proc proc /proc
        fi
        command -v apt-get >/dev/null || give_up "the set-up needs Debian 12 or 13"
        [ "$(dpkg --print-architecture)" = amd64 ] || give_up "the set-up needs an amd64 machine"
}

# need_packages PURPOSE PACKAGE...: installs those that are missing, saying which and what for.
need_packages() {
        local purpose=$1 missing=() package
        shift
        for package in "$@"; do
                dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
        done
        [ ${#missing[@]} -gt 0 ] || return 0
        say "$purpose needs packages that are not installed here: ${missing[*]}"
        if [ "$(id -u)" -ne 0 ]; then
                say "(they are installed with sudo, which may ask for your password)"
                sudo -v
        fi
        need_package_lists
        progress "installing ${#missing[@]} packages with apt-get" apt_install "${missing[@]}"
}

# need_package_lists: a machine fresh from debootstrap has never run apt-get update.
need_package_lists() {
        [ -z "$(mirror_of Debian)" ] || return 0
        progress "reading the package lists with apt-get update" as_root apt-get -q update
        [ -n "$(mirror_of Debian)" ] || give_up "apt knows no Debian archive: is there nothing in /etc/apt/sources.list?"
}

# Package lists grow old: a file that has left the archive is a reason to read them again and try once more.
apt_install() {
        apt_get_install "$@" || { as_root apt-get -q update && apt_get_install "$@"; }
}

apt_get_install() {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"
}
