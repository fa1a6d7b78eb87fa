# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What changes from run to run: the product, installed, with the lab's guest side and its cases. It is built in Debian 13's
# build root and packed as a small archive of its own, so that a changed line costs seconds. Needs build.sh and root.sh.

# Units of a real machine that would only cost the emulated one boot time.
MASKED_UNITS='apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer ldconfig.service run-lock.mount
        dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount
        sys-fs-fuse-connections.mount modprobe@configfs.service modprobe@fuse.service modprobe@efi_pstore.service
        proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount systemd-binfmt.service systemd-creds.socket
        systemd-hostnamed.socket systemd-hwdb-update.service systemd-initctl.socket systemd-journal-catalog-update.service
        systemd-journal-flush.service systemd-modules-load.service systemd-random-seed.service systemd-remount-fs.service
        systemd-sysext.socket systemd-udev-load-credentials.service systemd-update-done.service'

# lab_overlay FILE [SUITE]: writes it, for a root of that release.
lab_overlay() {
        local stage guest=$TOP/tests/lab/guest suite=${2:-$ROOT_SUITE} unit
        stage=$(mktemp -d)
        progress "building vfiod for the emulated machine" with_lock "lab-$suite" build_for_lab "$suite" "$stage"
        install -D -t "$stage/usr/lib/vfiod-lab" "$guest"/run-cases "$guest"/run-case "$guest"/prompt "$guest"/qmp "$guest"/mount-disk
        install -m 644 -D -t "$stage/usr/lib/vfiod-lab/soak" "$guest"/soak/*.py
        install -m 644 -t "$stage/usr/lib/vfiod-lab" "$guest"/*.sh "$guest"/prompt.rc "$TOP"/tests/lab/demo.sh
        install -m 644 -D -t "$stage/usr/lib/vfiod-lab/cases" "$TOP"/tests/lab/cases/*.sh
        install -m 644 -D -t "$stage/usr/lib/systemd/system" "$guest"/vfiod-lab.target "$guest"/vfiod-lab.service \
                "$guest"/vfiod-lab-disk.service
        install -m 644 -D "$guest"/vfiod-lab.sysusers "$stage/usr/lib/sysusers.d/vfiod-lab.conf"
        install -m 644 -D -t "$stage/usr/share/polkit-1/actions" "$guest"/vfiod-lab.policy
        if compgen -G "$TOP/tests/bench/*.sh" >/dev/null; then
                install -m 644 -t "$stage/usr/lib/vfiod-lab/bench" "$TOP"/tests/bench/*.{sh,py}
        fi
        # As `systemctl enable vfiod.socket` does.
        mkdir -p "$stage/etc/systemd/system/sockets.target.wants"
        ln -s /usr/lib/systemd/system/vfiod.socket "$stage/etc/systemd/system/sockets.target.wants"
        mkdir -p "$stage/etc/systemd/system/sysinit.target.wants"
        ln -s /usr/lib/systemd/system/vfiod-lab-disk.service "$stage/etc/systemd/system/sysinit.target.wants"
        for unit in $MASKED_UNITS; do
                ln -s /dev/null "$stage/etc/systemd/system/$unit"
        done
        printf 'vfiod-lab\n' >"$stage/etc/hostname"
        (cd "$stage" && find . -print0 | LC_ALL=C sort -z | cpio --null --create --format=newc --quiet --owner=0:0) >"$1"
        rm -rf "$stage"
}

# build_for_lab SUITE DIRECTORY. meson finds Debian's place of libraries only where dpkg-dev is installed.
build_for_lab() {
        build_in_root "$1" lab gcc -Dtests=disabled -Dtest-hooks=true --buildtype=debugoptimized --prefix=/usr --libdir=lib/x86_64-linux-gnu \
                --sysconfdir=/etc --localstatedir=/var
        install_from_root "$1" lab "$2"
}
