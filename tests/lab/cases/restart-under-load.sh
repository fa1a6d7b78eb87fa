# SPDX-License-Identifier: LGPL-2.1-or-later
# vfiod is restarted a hundred times while 20 clients lease, map and give back: none of them fails, they only wait.
# machine: many
# usually: lab
# slow
# time: 3600
# kills-vfiod

RESTARTS=${RESTARTS:-100}
for path in /sys/bus/pci/drivers/nvme/0000:*; do
        [ ! -e "$path/sriov_totalvfs" ] || P=${path##*/}
done
vfioctl vfs --autoprobe=no "$P" 20
mapfile -t devices < <(readlink /sys/bus/pci/devices/"$P"/virtfn* | sed 's|.*/||')
is "${#devices[@]}" 20 "there are 20 devices that nobody uses"
vfioctl bind "${devices[@]}"

# Sixteen lease and give back as fast as they can; four lease, map memory for DMA and end.
for ((i = 0; i < 16; i++)); do
        background "client-$i" "$LAB/bystander" bus "${devices[$i]}"
done
for ((i = 16; i < 20; i++)); do
        # shellcheck disable=SC2016 # for the shell of its own
        background "client-$i" bash -c 'while vfioctl exec --mode=group "$1" -- "$2" --container {container} --device "$1={device:$1}" map 1
                do echo round; done; echo failed' client "${devices[$i]}" "$VFIO_USER"
done
all_go_on() {
        local i
        for ((i = 0; i < 20; i++)); do
                ! said "client-$i" failed || fail "client $i goes on: $(tail -n 3 "$WORK/client-$i.out")"
                ! gone "client-$i" || fail "client $i goes on"
        done
}
for ((n = 1; n <= RESTARTS; n++)); do
        systemctl reset-failed vfiod.service
        systemctl restart vfiod.service
        all_go_on
done
sleep 5
all_go_on
for ((i = 0; i < 20; i++)); do
        note "client $i: $(grep -cE '^[0-9]+ |round' "$WORK/client-$i.out") rounds, the slowest $(grep -oE '^[0-9]+' "$WORK/client-$i.out" | sort -n | tail -n 1) us"
        finish "client-$i" >/dev/null
done
wait_until 60 no_leases
wait_until 60 vfiod_has_no_file
vfioctl unbind "${devices[@]}"
vfioctl vfs "$P" 0
