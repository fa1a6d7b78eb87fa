# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Twenty clients that keep vfiod busy, for lab cases in which it is restarted meanwhile: sixteen lease and give back as fast as they can,
# four lease, map memory for DMA and end. None of them may fail. Their devices are virtual functions of an NVMe controller.

CLIENTS=20

# load_begins: makes the devices and starts the clients.
load_begins() {
        local path i
        for path in /sys/bus/pci/drivers/nvme/0000:*; do
                [ ! -e "$path/sriov_totalvfs" ] || LOAD_PARENT=${path##*/}
        done
        vfioctl vfs --autoprobe=no "$LOAD_PARENT" $CLIENTS
        mapfile -t LOAD_DEVICES < <(readlink /sys/bus/pci/devices/"$LOAD_PARENT"/virtfn* | sed 's|.*/||')
        is "${#LOAD_DEVICES[@]}" $CLIENTS "there are $CLIENTS devices that nobody uses"
        vfioctl bind "${LOAD_DEVICES[@]}"
        for ((i = 0; i < 16; i++)); do
                background "client-$i" "$LAB/bystander" bus "${LOAD_DEVICES[$i]}"
        done
        for ((i = 16; i < CLIENTS; i++)); do
                # shellcheck disable=SC2016 # for the shell of its own
                background "client-$i" bash -c 'while vfioctl exec --mode=group "$1" -- "$2" --container {container} --device "$1={device:$1}" map 1
                        do echo round; done; echo failed' client "${LOAD_DEVICES[$i]}" "$VFIO_USER"
        done
}

load_goes_on() {
        local i
        for ((i = 0; i < CLIENTS; i++)); do
                if said "client-$i" failed || gone "client-$i"; then
                        fail "client $i goes on: $(tail -n 3 "$WORK/client-$i.out")"
                fi
        done
}

# load_rounds CLIENT: how often it has leased and given back.
load_rounds() {
        grep -cE '^[0-9]+ |round' "$WORK/client-$1.out" || true # that is 0
}

# load_ends: the clients end; says what each has done, and puts the devices back.
load_ends() {
        local i slowest
        load_goes_on
        for ((i = 0; i < CLIENTS; i++)); do
                slowest=$(sed -nE 's/^([0-9]+) .*/\1/p' "$WORK/client-$i.out" | sort -n | tail -n 1)
                note "client $i: $(load_rounds $i) rounds${slowest:+, the slowest $slowest us}"
                finish "client-$i" >/dev/null
        done
        wait_until 60 no_leases
        wait_until 60 vfiod_has_no_file
        vfioctl unbind "${LOAD_DEVICES[@]}"
        vfioctl vfs "$LOAD_PARENT" 0
}
