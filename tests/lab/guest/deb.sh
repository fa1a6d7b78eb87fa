# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case about the Debian packages can say. Such a case runs on the machine `debian`, which has dpkg, and in $DEBS the packages
# of this checkout, in $DEBS/next those of the same source with a higher version.

DEBS=/usr/lib/vfiod-lab/debs
PACKAGES=(libvfiod1 libvfiod-dev vfiod vfioctl)

# packages_of DIRECTORY [PACKAGE...]: their files there; of all of them without a name.
packages_of() {
        local directory=$1 package
        shift
        for package in "${@:-${PACKAGES[@]}}"; do
                printf '%s\n' "$directory/$package"_*.deb
        done
}

# installs DIRECTORY: all packages from there, configured; what dpkg said goes to $SAID.
installs() {
        local package
        # shellcheck disable=SC2046 # words
        SAID=$(dpkg --install $(packages_of "$1") 2>&1) || fail "dpkg installs the packages: $SAID"
        printf '%s\n' "$SAID"
        for package in "${PACKAGES[@]}"; do
                is "$(dpkg-query -W -f '${db:Status-Status}' "$package")" installed "$package is configured"
        done
}

# without_packages: no package is installed, nor what the lab has of vfiod outside of packages, nor its directories.
without_packages() {
        local file list
        dpkg --purge "${PACKAGES[@]}" 2>/dev/null || true
        systemctl stop vfiod.socket vfiod.service 2>/dev/null || true
        systemctl disable vfiod.socket 2>/dev/null || true
        rmdir --ignore-fail-on-non-empty /etc/systemd/system/sockets.target.wants 2>/dev/null || true
        for file in $(packages_of "$DEBS"); do
                list=$(dpkg-deb --fsys-tarfile "$file" | tar --list | sed 's|^\.||')
                grep -v '/$' <<<"$list" | xargs rm -f
                grep '/$' <<<"$list" | sort -r | xargs rmdir --ignore-fail-on-non-empty 2>/dev/null || true
        done
        systemctl daemon-reload
        systemctl reload dbus.service
}

# files_of_machine: the path of every file that a package could have left.
files_of_machine() {
        find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log \
                -o -path /var/lib/dpkg -o -path /var/cache/ldconfig -o -path /var/lib/systemd/deb-systemd-helper-masked \) -prune -o -print | LC_ALL=C sort
}

main_pid() {
        systemctl show --property=MainPID --value vfiod.service
}
