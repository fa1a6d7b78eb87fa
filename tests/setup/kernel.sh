# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The two kernels that the emulated machine boots: `stock`, which is Debian 13's own, and `lab`, the same source built with
# tests/lab/kernel.config (iommufd, VFIO cdevs, mdev samples). Each is a directory with `vmlinuz`, `modules.cpio` and `version`.
# Owns getting, building and trimming them. Needs cache.sh, buildroot.sh and root.sh (for pack_cpio).

LAB_KERNEL_SOURCE=linux-source-6.12
LAB_KERNEL_CONFIG=$TOP/tests/lab/kernel.config

# What the stock kernel needs in the emulated machine; what these depend on comes with them.
STOCK_KERNEL_MODULES='vfio vfio-pci vfio_iommu_type1 pci-stub uio_pci_generic e1000 e1000e igb igbvf nvme bochs mdev
        virtio_pci virtio_blk virtio_net autofs4 fuse efivarfs configfs dm-mod loop'

# kernel lab|stock: the directory goes to $REPLY.
kernel() {
        buildroot trixie
        KERNEL_TREE=$REPLY/tree
        case $1 in
        stock)
                cache_make kernel-stock "$(cache_key "$STOCK_KERNEL_MODULES" make_stock_kernel pack_modules download_package)" \
                        "getting Debian 13's stock kernel" make_stock_kernel
                ;;
        lab)
                cache_make kernel-lab "$(cache_key "$LAB_KERNEL_SOURCE" "$LAB_KERNEL_CONFIG" make_lab_kernel pack_modules download_package)" \
                        "building the lab kernel (once, 8 minutes with 2 cores)" make_lab_kernel
                ;;
        esac
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

make_lab_kernel() {
        local output=$1 work version
        work=$(as_root mktemp -d "$KERNEL_TREE/var/tmp/lab.XXXXXX")
        as_root chmod 755 "$work"
        download_package "$work" "$LAB_KERNEL_SOURCE"
        as_root dpkg-deb -x "$work/$LAB_KERNEL_SOURCE"_*.deb "$work"
        as_root tar -xf "$work/usr/src/$LAB_KERNEL_SOURCE.tar.xz" -C "$work"
        as_root cp "$LAB_KERNEL_CONFIG" "$work/$LAB_KERNEL_SOURCE/lab.config"
        in_root "$KERNEL_TREE" sh -euc 'cd "$1"
                make -s allnoconfig KCONFIG_ALLCONFIG=lab.config
                make -j "$(nproc)" bzImage modules
                make -s modules_install INSTALL_MOD_PATH=../few' sh "${work#"$KERNEL_TREE"}/$LAB_KERNEL_SOURCE"
        version=$(basename "$work"/few/lib/modules/*)
        as_root cat "$work/$LAB_KERNEL_SOURCE/arch/x86/boot/bzImage" >"$output/vmlinuz"
        pack_modules "$work/few" "$version" "$output"
        as_root rm -rf "$work"
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
        in_root "$KERNEL_TREE" apt-get -q -q update >&2
        if [ -n "$via" ]; then
                package=$(in_root "$KERNEL_TREE" apt-cache depends "$via" | sed -n -E "s/^ *Depends: ($package)\$/\1/p" | head -n 1)
        fi
        in_root "$KERNEL_TREE" sh -ec 'cd "$1" && apt-get -q -q download "$2" >&2' sh "$directory" "$package"
        printf '%s\n' "$package"
}
