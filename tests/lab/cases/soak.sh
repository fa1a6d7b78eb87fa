# SPDX-License-Identifier: LGPL-2.1-or-later
# Ten users do whatever there is to do with twelve devices, at random, while devices come and go and vfiod is killed and restarted: after
# each batch of operations the rules that must always hold do, and in the end the machine is as it was and vfiod no larger.
# `./check --soak` says for how long and by which seed; without it: three minutes, by the seed 1. What is done is in tests/lab/guest/soak/.
# machine: soak
# kernels: lab
# usually: lab
# only-named
# time: 900
# kills-vfiod

seconds=${1:-180} seed=${2:-1}
PARENT=0000:07:00.0
declare -A PLUGS=([0000:04:00.0]='e1000e,id=hot0,bus=hp1' [0000:05:00.0]='nvme,id=hot1,bus=hp2,serial=hot1')

make_users() {
        local n words=()
        for n in {0..9}; do
                words+=("u soak$n $((3000 + n)) \"User of the soak\" - /bin/bash")
                # They may use the socket.
                ((n % 2 == 0)) || words+=("m soak$n vfio")
        done
        systemd-sysusers --inline "${words[@]}"
        # The last three are administrators of devices; not even those may take what the host is using.
        polkit_rule <<'RULE'
polkit.addRule(function(action, subject) {
    var ordinary = ["list", "inspect", "acquire", "bind", "unbind", "reset"];
    var more = ["release-other", "revoke", "assign"];
    var name = action.id.replace("org.vfiod1.", "");
    if (/^soak[0-9]$/.test(subject.user) && ordinary.indexOf(name) >= 0 || /^soak[789]$/.test(subject.user) && more.indexOf(name) >= 0)
        return polkit.Result.YES;
});
RULE
}

has_driver() { [ "$(driver_of "$1")" != none ]; }

make_users
vfioctl vfs --autoprobe=no $PARENT 3
for device in "${!PLUGS[@]}"; do
        host device_add "${PLUGS[$device]}"
        wait_until 20 present "$device"
        wait_until 20 has_driver "$device"
done
udevadm settle
arguments=()
for device in "${!PLUGS[@]}"; do
        arguments+=("$device=device_add,${PLUGS[$device]}")
done
note "seed $seed, $seconds s"
python3 "$LAB/soak" --seconds="$seconds" --seed="$seed" --report="$WORK/notes" "${arguments[@]}"

for device in "${!PLUGS[@]}"; do
        if present "$device"; then
                host device_del "$(sed 's/.*id=\([^,]*\).*/\1/' <<<"${PLUGS[$device]}")"
                wait_until 30 absent "$device"
        fi
done
wait_until 30 vfioctl vfs --autoprobe=yes $PARENT 0
rm -f /etc/vfiod/assignments.json
