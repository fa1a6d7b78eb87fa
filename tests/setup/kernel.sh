# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The kernels that the emulated machine boots: `stock`, which is Debian 13's own; `lab`, the same source built with
# tests/lab/kernel.config (iommufd, VFIO cdevs, mdev samples); `newest`, the newest source that Debian 13 and its backports have
# today, built like `lab`. Each is a directory with `vmlinuz`, `modules.cpio` and `version`. Owns getting, building and trimming
# them. Needs cache.sh, mirror.sh, buildroot.sh and root.sh (for pack_cpio).

LAB_KERNEL_SOURCE=linux-source-6.12
LAB_KERNEL_CONFIG=$TOP/tests/lab/kernel.config

# What the stock kernel needs in the emulated machine; what these depend on comes with them.
STOCK_KERNEL_MODULES='vfio vfio-pci vfio_iommu_type1 pci-stub uio_pci_generic e1000 e1000e igb igbvf nvme bochs mdev
        virtio_pci virtio_blk virtio_net autofs4 fuse efivarfs configfs dm-mod loop'

# Options of apt in KERNEL_TREE: which archives it asks, if others than its own.
KERNEL_APT=()

# kernel stock|lab|newest: the directory goes to $REPLY.
kernel() {
        local version
        buildroot trixie
        KERNEL_TREE=$REPLY/tree
        case $1 in
        stock)
                cache_make kernel-stock "$(cache_key "$STOCK_KERNEL_MODULES" make_stock_kernel pack_modules download_package)" \
                        "getting Debian 13's stock kernel" make_stock_kernel
                ;;
        lab)
                KERNEL_SOURCE=$LAB_KERNEL_SOURCE
                kernel_from_source lab "building the lab kernel (once, 8 minutes with 2 cores)"
                ;;
        newest)
                # The archive is asked once a day.
                cache_make newest-source "$(cache_key "$(date +%F)" find_newest_source mirror_sources)" \
                        "looking for the newest kernel source" find_newest_source
                read -r KERNEL_SOURCE version <"$REPLY/package"
                with_backports kernel_from_source newest "building $KERNEL_SOURCE (once, 20 minutes with 2 cores)" "$version"
                ;;
        esac
}

# kernel_from_source NAME SENTENCE WORD...: $KERNEL_SOURCE with the lab's configuration. The words count for the key.
kernel_from_source() {
        local name=$1 sentence=$2
        shift 2
        cache_make "kernel-$name" "$(cache_key "$KERNEL_SOURCE" "$@" "$LAB_KERNEL_CONFIG" make_source_kernel pack_modules download_package)" \
                "$sentence" make_source_kernel
}

# with_backports COMMAND...: what it asks apt in KERNEL_TREE for may come from backports. These lists are kept apart from the
# tree's own, so that nothing else ever comes from there.
with_backports() {
        local KERNEL_APT=(-o Dir::Etc::SourceList=/etc/apt/backports.list -o Dir::Etc::SourceParts=-
                -o Dir::State::Lists=/var/lib/apt/backports)
        { mirror_sources trixie && mirror_sources trixie-backports | sed -n 1p; } |
                as_root tee "$KERNEL_TREE/etc/apt/backports.list" >/dev/null
        as_root mkdir -p "$KERNEL_TREE/var/lib/apt/backports/partial"
        "$@"
}

# find_newest_source OUTPUT: name and version of the package go to OUTPUT/package.
find_newest_source() {
        with_backports write_newest_source >"$1/package"
}

write_newest_source() {
        local package
        in_root "$KERNEL_TREE" apt-get "${KERNEL_APT[@]}" -q -q update >&2
        package=$(in_root "$KERNEL_TREE" apt-cache "${KERNEL_APT[@]}" pkgnames linux-source- | grep -xE 'linux-source-[0-9.]+' |
                sort -V | tail -n 1)
        [ -n "$package" ]
        in_root "$KERNEL_TREE" apt-cache "${KERNEL_APT[@]}" show --no-all-versions "$package" | sed -n "s/^Version:/$package/p"
}

make_stock_kernel() {
        local output=$1 work package version module
        work=$(as_root mktemp -d "$KERNEL_TREE/var/tmp/stock.XXXXXX")
        as_root chmod 755 "$work"
        package=$(download_package "$work" 'linux-image-[0-9].*-amd64' linux-image-amd64)
        version=${package#linux-image-}
        as_root dpkg-deb -x "$work"/"$package"_*.deb "$work/all"
        as_root cat "$work/all/boot/vmlinuz-$version" >"$output/vmlinuz"
        as_root mkdir -p "$work/few"
        as_root depmod -b "$work/all/usr" "$version" 2>/dev/null || as_root depmod -b "$work/all" "$version"
        for module in $STOCK_KERNEL_MODULES; do
                modprobe -C /dev/null -d "$work/all/usr" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
        done | sort -u | (cd "$work/all/usr" && sed "s|^$work/all/usr/||" | as_root xargs cp -t "$work/few" --parents)
        as_root cp -t "$work/few/lib/modules/$version" "$work/all/usr/lib/modules/$version"/modules.{order,builtin,builtin.modinfo}
        pack_modules "$work/few" "$version" "$output"
        as_root rm -rf "$work"
}

# make_source_kernel OUTPUT: from $KERNEL_SOURCE.
make_source_kernel() {
        local output=$1 work version
        # What an attempt that failed has left.
        as_root rm -rf "$KERNEL_TREE/var/tmp/$KERNEL_SOURCE".*
        work=$(as_root mktemp -d "$KERNEL_TREE/var/tmp/$KERNEL_SOURCE.XXXXXX")
        as_root chmod 755 "$work"
        download_package "$work" "$KERNEL_SOURCE"
        as_root dpkg-deb -x "$work/$KERNEL_SOURCE"_*.deb "$work"
        as_root tar -xf "$work/usr/src/$KERNEL_SOURCE.tar.xz" -C "$work"
        as_root cp "$LAB_KERNEL_CONFIG" "$work/$KERNEL_SOURCE/lab.config"
        # There is no /proc in the tree, and newer kernels' objtool wants to know its stack, for what it says should it crash.
        as_root mkdir -p "$KERNEL_TREE/proc/self"
        echo "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]" | as_root tee "$KERNEL_TREE/proc/self/maps" >/dev/null
        in_root "$KERNEL_TREE" sh -euc 'cd "$1"
                make -s allnoconfig KCONFIG_ALLCONFIG=lab.config
                make -j "$(nproc)" bzImage modules
                make -s modules_install INSTALL_MOD_PATH=../few' sh "${work#"$KERNEL_TREE"}/$KERNEL_SOURCE"
        version=$(basename "$work"/few/lib/modules/*)
        as_root cat "$work/$KERNEL_SOURCE/arch/x86/boot/bzImage" >"$output/vmlinuz"
        pack_modules "$work/few" "$version" "$output"
        as_root rm -rf "$work" "$KERNEL_TREE/proc/self"
}

# pack_modules TREE VERSION OUTPUT: unpacked, so that the emulated processor does not have to.
pack_modules() {
        local tree=$1 version=$2 output=$3
        as_root find "$tree" -name '*.ko.xz' -exec xz -d {} +
        as_root rm -f "$tree/lib/modules/$version"/{build,source}
        as_root depmod -b "$tree" "$version"
        as_root mkdir "$tree/usr"
        as_root mv "$tree/lib" "$tree/usr/lib"
        pack_cpio "$tree" "$output/modules.cpio"
        printf '%s\n' "$version" >"$output/version"
}

# download_package DIRECTORY PACKAGE [VIA]: one .deb into a directory of KERNEL_TREE. With VIA, PACKAGE is a pattern for the name
# among what VIA depends on. Says the package's name.
download_package() {
        local directory=${1#"$KERNEL_TREE"} package=$2 via=${3:-}
        in_root "$KERNEL_TREE" apt-get "${KERNEL_APT[@]}" -q -q update >&2
        if [ -n "$via" ]; then
                package=$(in_root "$KERNEL_TREE" apt-cache "${KERNEL_APT[@]}" depends "$via" |
                        sed -n -E "s/^ *Depends: ($package)\$/\1/p" | head -n 1)
        fi
        in_root "$KERNEL_TREE" sh -ec 'cd "$1" && shift && apt-get "$@" >&2' sh "$directory" "${KERNEL_APT[@]}" -q -q download "$package"
        printf '%s\n' "$package"
}
