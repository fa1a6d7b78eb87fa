# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the machines initramfs-* boot: an initramfs made by initramfs-tools and one made by dracut, with the hook and the module that
# vfiod installs, and the root file system on a disk that they switch to, for each kernel that has ext4 built in. Needs cache.sh,
# mirror.sh, buildroot.sh and root.sh.

INITRAMFS_PACKAGES=initramfs-tools-core,dracut-core,busybox,cpio

# The drivers that are loaded there, besides those that vfiod's hooks put there.
INITRAMFS_DRIVERS=(e1000 e1000e)

# initramfs_images OUTPUT NAME DIRECTORY OVERLAY: for the kernel of that name, which is in DIRECTORY: OUTPUT/NAME.ext4,
# OUTPUT/NAME.initramfs-tools and OUTPUT/NAME.dracut.
initramfs_images() {
        local output=$1 name=$2 kernel=$3 overlay=$4 tree archive version
        version=$(cat "$kernel/version")
        cache_make initramfs "$(cache_key "$ROOT_SUITE" "$ROOT_PACKAGES" "$INITRAMFS_PACKAGES" make_initramfs_root make_root)" \
                "making a root that makes an initramfs (Debian 13, about a minute)" make_initramfs_root
        tree=$(mktemp -d "$output/tree.XXXXXX")
        as_root cp -a "$REPLY/tree/." "$tree"
        for archive in "$kernel/modules.cpio" "$overlay"; do
                as_root cpio --directory="$tree" --extract --make-directories --unconditional --preserve-modification-time --quiet <"$archive"
        done
        "$TOP/tests/lab/machine-files" initramfs-tools | as_root tar -x -C "$tree"
        printf '%s\n' "${INITRAMFS_DRIVERS[@]}" | as_root tee -a "$tree/etc/initramfs-tools/modules" >/dev/null
        # Not compressed: the lab's kernels cannot read it then, and the emulated processor would be slow.
        in_root "$tree" sh -euc 'mkinitramfs -c gzip -o /boot/compressed "$1"; zcat /boot/compressed >/boot/initramfs-tools; rm /boot/compressed' sh "$version"
        in_root "$tree" dracut --force --no-hostonly --no-compress --add-drivers "${INITRAMFS_DRIVERS[*]}" --kver "$version" /boot/dracut
        for archive in initramfs-tools dracut; do
                as_root cat "$tree/boot/$archive" >"$output/$name.$archive"
                as_root rm "$tree/boot/$archive"
        done
        as_root mke2fs -q -t ext4 -d "$tree" "$output/$name.ext4" 1G
        as_root rm -rf "$tree"
}

make_initramfs_root() {
        as_root mkdir "$1/tree"
        make_root "$1/tree" "$ROOT_SUITE" "$ROOT_PACKAGES,$INITRAMFS_PACKAGES"
}
