# SPDX-License-Identifier: LGPL-2.1-or-later
# What the host is using is not taken from it, whoever asks: an interface with an address. With override_safety it is, by those who may,
# and the journal warns of it.
# time: 120

N=0000:01:00.0
interface_of() { ls "/sys/bus/pci/devices/$1/net"; }

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
