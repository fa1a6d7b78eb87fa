# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The Debian packages of the checkout, built in the build roots of Debian 13 and 12. Owns building them, and what lintian says. Needs
# cache.sh, buildroot.sh and build.sh.

# What packages are made of; the tests are not in them.
DEB_SOURCES=(LICENSE README.md client completions daemon debian examples man meson.build meson_options.txt polkit protocol systemd)

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
