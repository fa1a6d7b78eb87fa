# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Everything that ./check and ./demo need before they can boot a machine. Source this with TOP set to the checkout.
# Owns the order; each thing is made in its own file.

for part in progress packages mirror cache root buildroot build kernel overlay peers emulator vm deb initramfs; do
        # shellcheck disable=SC1090
        . "$TOP/tests/setup/$part.sh"
done

LAB_PACKAGES=(mmdebstrap debian-archive-keyring ca-certificates cpio xz-utils kmod rsync e2fsprogs python3)

# set_up_lab KERNEL...: makes what is missing for these kernels (stock, lab, newest); run_lab can then be called. $LAB_RUN is the
# directory of this run, for what it boots and what its machines write.
set_up_lab() {
        local name
        need_debian
        need_packages "the emulated machine" "${LAB_PACKAGES[@]}"
        mkdir -p "$TOP/build-lab"
        find "$TOP/build-lab" -mindepth 1 -maxdepth 1 -name 'run.*' -mtime +0 -exec rm -rf {} +
        LAB_RUN=$(mktemp -d "$TOP/build-lab/run.XXXXXX")
        guest_root
        LAB_ARTEFACTS=(--root "$REPLY" --logs "$LAB_RUN")
        emulator
        LAB_ARTEFACTS+=(--emulator "$REPLY")
        for name; do
                kernel "$name"
                LAB_ARTEFACTS+=("--$name" "$REPLY")
        done
        lab_overlay "$LAB_RUN/overlay.cpio"
        LAB_ARTEFACTS+=(--overlay "$LAB_RUN/overlay.cpio")
}

# add_vm: what the machine vm-host boots besides. Cases and measurements name that machine; a demonstration does without.
add_vm() {
        vm_archive
        LAB_ARTEFACTS+=(--archive "vm=$REPLY/vm.cpio")
}

# add_debian: what the machine debian boots besides.
add_debian() {
        dpkg_archive
        LAB_ARTEFACTS+=(--archive "dpkg=$REPLY/dpkg.cpio")
        debs_archive
        LAB_ARTEFACTS+=(--archive "debs=$REPLY/debs.cpio")
}

# add_release SUITE: what machines of that release boot instead of Debian 13.
add_release() {
        mkdir "$LAB_RUN/$1"
        guest_root "$1"
        ln -s "$REPLY/root.cpio" "$LAB_RUN/$1/root.cpio"
        lab_overlay "$LAB_RUN/$1/overlay.cpio" "$1"
        LAB_ARTEFACTS+=(--release "$1=$LAB_RUN/$1")
}

# add_initramfs KERNEL...: what the machines initramfs-* boot, for those of the kernels that their cases can use.
add_initramfs() {
        local name
        mkdir "$LAB_RUN/images"
        for name; do
                [ "$name" != stock ] || continue
                kernel "$name"
                progress "making an initramfs with assignments, of two kinds, for the $name kernel" \
                        initramfs_images "$LAB_RUN/images" "$name" "$REPLY" "$LAB_RUN/overlay.cpio"
        done
        LAB_ARTEFACTS+=(--images "$LAB_RUN/images")
}

# add_peers: what the machine driverctl boots besides.
add_peers() {
        peers_overlay
        LAB_ARTEFACTS+=(--archive "peers=$REPLY")
}

# is_named CASE [PATTERN...]: one of the patterns names it, or there is none.
is_named() {
        local name=$1 pattern
        shift
        for pattern in "${@:-}"; do
                # shellcheck disable=SC2053 # a pattern
                [[ $name != *"$pattern"* && $name != $pattern ]] || return 0
        done
        return 1
}

# case_needs MACHINE [PATTERN...]: a case that a pattern names, or any one, runs there, or on a machine named after it (MACHINE-...).
case_needs() {
        local machine=$1 file
        shift
        for file in "$TOP"/tests/lab/cases/*.sh; do
                if is_named "$(basename "$file" .sh)" "$@" && grep -qxE "# machine: $machine(-.*)?" "$file"; then
                        return 0
                fi
        done
        return 1
}

# run_lab ARGUMENTS...: tests/lab/run with what was made.
run_lab() {
        "$TOP/tests/lab/run" "${LAB_ARTEFACTS[@]}" "$@"
}
