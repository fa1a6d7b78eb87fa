# SPDX-License-Identifier: LGPL-2.1-or-later
# What the host is using is not taken from it, whoever asks: a disk with swap on it, an interface with an address. With override_safety it
# is, by those who may, and the journal warns of it.
# time: 120

D=0000:02:00.0 N=0000:01:00.0
interface_of() { ls "/sys/bus/pci/devices/$1/net"; }

if [ -e /proc/swaps ]; then
        name=$(cd /sys/class/block && ls -d nvme*n1)
        mkswap "/dev/$name" >/dev/null
        expect "the lab's disk can be swapped to" swapon "/dev/$name"
        refused "$D is in use by the host: $name is swap" vfioctl bind $D
        refused "$D is in use by the host: $name is swap" vfioctl acquire --bind $D
        is "$(driver_of $D)" nvme
        contains "$(vfioctl explain $D || true)" "in use by the host: $name is swap"
        swapoff "/dev/$name"
        expect "a disk that nothing uses is bound" vfioctl bind $D
        vfioctl unbind $D
else
        note "this kernel cannot swap"
fi

ip address add 192.0.2.1/24 dev "$(interface_of $N)"
ip link set "$(interface_of $N)" up
refused "$N is in use by the host: $(interface_of $N) has a route" vfioctl bind $N
allow alice acquire bind
refused "$(interface_of $N) has a route" as alice vfioctl acquire --bind $N
refused org.vfiod1.override-safety as alice vfioctl bind --override-safety $N
is "$(driver_of $N)" e1000e
allow alice acquire bind override-safety
expect "who may overrides it" as alice vfioctl bind --override-safety $N
is "$(driver_of $N)" vfio-pci
contains "$(journalctl -q -o cat -p warning -u vfiod)" "bind $N for uid $(id -u alice) overrides safety: $N is in use by the host: "
vfioctl unbind $N
