# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The main job, as ./demo shows it on the machine `default` with Debian's own kernel: an unprivileged user gets the files of a
# whole, viable IOMMU group, uses the devices, and the host gets them back as they were.

A=0000:03:01.0
B=0000:03:02.0

mkdir -p $WORK
pair=$(group_of $A)
driver_before="$(driver_of $A) $(driver_of $B)"
override_before="$(override_of $A) $(override_of $B)"

step "The machine's IOMMU groups: the first command starts vfiod, by D-Bus activation." \
        vfioctl list
shows $A $B "group/$pair  not viable"

step_refused "Two network cards behind a bridge are one group. It is not viable: the host drives both." \
        vfioctl explain $A
shows "$A is bound to e1000" "$B is bound to e1000" "vfioctl bind group/$pair"

step_refused "Alice is nobody special, so she may not have them." \
        as alice vfioctl exec --bind $A -- true
shows org.freedesktop.DBus.Error

polkit_rule <<'RULE'
polkit.addRule(function(action, subject) {
    if (subject.user == "alice" && action.lookup("vendor") == "8086:100e" &&
        /^org\.vfiod1\.(bind|unbind|acquire)$/.test(action.id))
        return polkit.Result.YES;
    if (subject.user == "bob" && action.id == "org.vfiod1.acquire")
        return polkit.Result.YES;
});
RULE
step "The administrator allows it: a polkit rule for this user and this kind of card." \
        grep -A 3 alice $POLKIT_RULES/*-lab-case.rules
shows org.vfiod1.acquire

step "What binding would do, without doing it." \
        as alice vfioctl bind --dry-run "group/$pair"
shows "bind $A to vfio-pci" "bind $B to vfio-pci"

step "Alice binds the whole group." \
        as alice vfioctl bind "group/$pair"
holds "$(driver_of $A) $(driver_of $B)" "vfio-pci vfio-pci" "drivers"

step "With the files she is given, a program of hers reads the ids from VFIO config space, maps 2 MiB for DMA, and a BAR." \
        as alice vfioctl exec --label demo "group/$pair" -- \
        $VFIO_USER --container '{container}' --group '{group}' --device "$A={device:$A}" --device "$B={device:$B}" \
        identify map 2 read-bar 8
shows "$A: config space says 8086:100e" "$B: config space says 8086:100e"

background holder as alice vfioctl exec --label "alice's machine" "group/$pair" -- \
        $VFIO_USER --container '{container}' --group '{group}' --device "$A={device:$A}" --device "$B={device:$B}" hold
leased() {
        [[ $(vfioctl leases) == *held* ]]
}
wait_until 20 leased
step "She starts a program that keeps them: this is her lease." \
        vfioctl leases
shows alice "alice's machine"

step_refused "Bob may acquire too, but not what is taken. He is told who has it." \
        as bob vfioctl acquire "group/$pair"
shows org.vfiod1.Error.Leased "uid $(id -u alice)" "alice's machine"

step_refused "Nor does the host take it from under her." \
        vfioctl unbind "group/$pair"
shows org.vfiod1.Error.Leased

finish holder >/dev/null
unleased() {
        [[ $(vfioctl leases) != *alice* ]]
}
wait_until 20 unleased
step "The lease ends when its holder does." \
        vfioctl leases

step "Alice gives the devices back to their drivers." \
        as alice vfioctl unbind "group/$pair"
holds "$(driver_of $A) $(driver_of $B)" "$driver_before" "drivers"
holds "$(override_of $A) $(override_of $B)" "$override_before" "driver_override"

step "Each operation left one record in the journal." \
        journalctl --quiet --no-pager --output=cat --unit=vfiod.service --output-fields=MESSAGE VFIOD_OUTCOME=done
shows "bind group/$pair" "unbind group/$pair"

steps_done
