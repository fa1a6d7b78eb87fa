# SPDX-License-Identifier: LGPL-2.1-or-later
# An interface with an address is the host's even where no table of routes that process 1 shows tells of it: with noprefixroute, and under
# a label that is not its name. Without the address it is free.
# time: 120

N=0000:01:00.0
INTERFACE=$(ls "/sys/bus/pci/devices/$N/net")

ip address add 192.0.2.1/32 dev "$INTERFACE" noprefixroute label "$INTERFACE:mgmt"
lacks "$(cat /proc/1/net/route)" "$INTERFACE"
refused "$N is in use by the host: $INTERFACE has an address" vfioctl bind $N
is "$(driver_of $N)" e1000e
ip address del 192.0.2.1/32 dev "$INTERFACE"
expect "without its address it is free" vfioctl bind $N
is "$(driver_of $N)" vfio-pci
vfioctl unbind $N
