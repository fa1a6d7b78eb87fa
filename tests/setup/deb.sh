# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The Debian packages of the checkout, built in the build roots of Debian 13 and 12. Owns building them, what lintian says, and what the
# emulated machine that installs them has besides: dpkg. Needs cache.sh, root.sh, buildroot.sh and build.sh.

# What packages are made of; the tests are not in them.
DEB_SOURCES=(LICENSE README.md boot client completions daemon debian examples man meson.build meson_options.txt polkit protocol systemd)

# deb_packages SUITE: the directory with the packages goes to $REPLY, and those of the same source with a higher version are in its
# `next`.
deb_packages() {
        local suite=$1
        buildroot "$suite"
        DEB_SUITE=$suite
        cache_make "deb-$suite" "$(cache_key "$REPLY" "$(deb_sources)" make_deb_packages)" \
                "building the Debian packages (Debian $suite)" make_deb_packages
}

deb_sources() {
        (cd "$TOP" && find "${DEB_SOURCES[@]}" -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

# In a copy of its own, because dpkg-buildpackage builds in the source. The second time only what a changelog changes is done again.
make_deb_packages() {
        local output=$1 place
        copy_to_root "$DEB_SUITE"
        place=$(build_place)/deb
        in_root "$REPLY/tree" env DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" sh -euc '
                rm -rf "$1"; mkdir -p "$1/next"; cp -a "$1/../src" "$1/vfiod"; cd "$1/vfiod"
                dpkg-buildpackage --ignore-builtin-builddeps -us -uc
                mkdir ../first; mv ../*.deb ../*.changes ../*.buildinfo ../*.dsc ../*.tar.* ../first
                version=$(dpkg-parsechangelog -S Version)
                sed "1s/($version)/($version+1)/; /^ -- /q" debian/changelog >changelog; echo >>changelog
                cat debian/changelog >>changelog; mv changelog debian/changelog
                rm -rf debian/.debhelper debian/debhelper-build-stamp
                dpkg-buildpackage --ignore-builtin-builddeps -us -uc -b -nc; mv ../*.deb ../next' sh "$place"
        as_root cp -a "$REPLY/tree$place/first/." "$REPLY/tree$place/next" "$output/"
        as_root chown -R "$(id -u):$(id -g)" "$output"
        as_root rm -rf "$REPLY/tree$place"
}

# lintian_accepts: no error in the packages for Debian 13, with their source. What it warns of is shown only if there is one.
lintian_accepts() {
        local packages place
        deb_packages trixie
        packages=$REPLY
        buildroot trixie
        place=$(build_place)/lintian
        as_root mkdir -p "$REPLY/tree$place"
        as_root rsync -a --delete --exclude=/next "$packages/" "$REPLY/tree$place"
        in_root "$REPLY/tree" sh -euc 'cd "$1"; lintian --allow-root --fail-on error --tag-display-limit 0 ./*.changes' sh "$place"
}

# dpkg_archive: the directory with dpkg.cpio goes to $REPLY: what trim_guest_root has thrown out of the root and dpkg needs, with its
# database of what is installed there.
dpkg_archive() {
        cache_make dpkg "$(cache_key "$ROOT_SUITE" "$ROOT_PACKAGES" make_dpkg make_root pack_cpio)" \
                "getting dpkg for the emulated machine (about a minute)" make_dpkg
}

make_dpkg() {
        local output=$1 tree stage
        tree=$(mktemp -d "$output/tree.XXXXXX")
        stage=$(mktemp -d "$output/stage.XXXXXX")
        make_root "$tree" "$ROOT_SUITE" "$ROOT_PACKAGES"
        as_root mkdir -p "$stage"/usr/{bin,share,lib/x86_64-linux-gnu} "$stage/var/lib"
        as_root cp -a "$tree"/usr/bin/{dpkg*,perl*} "$stage/usr/bin/"
        as_root cp -a "$tree/usr/lib/dpkg" "$stage/usr/lib/"
        as_root cp -a "$tree/usr/lib/x86_64-linux-gnu/perl-base" "$stage/usr/lib/x86_64-linux-gnu/"
        as_root cp -a "$tree/usr/share/dpkg" "$stage/usr/share/"
        as_root cp -a "$tree/var/lib/dpkg" "$stage/var/lib/"
        # The archive has an entry for the root directory itself.
        as_root chmod 755 "$stage"
        pack_cpio "$stage" "$output/dpkg.cpio"
        as_root rm -rf "$tree" "$stage"
}

# debs_archive: the directory with debs.cpio goes to $REPLY: the packages, where tests/lab/guest/deb.sh looks for them.
debs_archive() {
        deb_packages "$ROOT_SUITE"
        DEB_PACKAGES=$REPLY
        cache_make debs "$(cache_key "$DEB_PACKAGES" pack_debs pack_cpio)" "packing the packages for the emulated machine" pack_debs
}

pack_debs() {
        local output=$1 stage place
        stage=$(mktemp -d "$output/stage.XXXXXX")
        chmod 755 "$stage"
        place=$stage/usr/lib/vfiod-lab/debs
        mkdir -p "$place/next"
        find "$DEB_PACKAGES" -maxdepth 1 -name '*.deb' ! -name '*-dbgsym_*' -exec cp -t "$place" {} +
        find "$DEB_PACKAGES/next" -name '*.deb' ! -name '*-dbgsym_*' -exec cp -t "$place/next" {} +
        as_root chown -R 0:0 "$stage"
        pack_cpio "$stage" "$output/debs.cpio"
        as_root rm -rf "$stage"
}
