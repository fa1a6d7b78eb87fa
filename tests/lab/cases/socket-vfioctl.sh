# SPDX-License-Identifier: LGPL-2.1-or-later
# Through the private socket a member of the group vfio does what polkit lets it do, as over the bus, also where there is none.

N=0000:01:00.0
NO_BUS=(env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent/bus)
refused "/run/vfiod/socket is for root and members of the group vfio" as carol vfioctl --socket list
is "$(systemctl show --value --property=ActiveState vfiod.service)" inactive "who is not let in starts nothing"
refused "uid $(id -u alice) must authenticate" as alice vfioctl --socket bind $N
is "$(driver_of $N)" e1000e

allow alice acquire bind unbind
background monitor as alice vfioctl --socket monitor
wait_until 20 said monitor watching
as alice vfioctl --socket bind $N
wait_until 10 said monitor vfio-pci
as alice "${NO_BUS[@]}" vfioctl explain $N

# The lease lives as long as the program, and is asked back with the reason.
as alice vfioctl --socket exec $N -- sh -c 'readlink /proc/self/fd/$VFIOD_LEASE_FD; vfioctl --socket leases'
wait_until 20 no_leases
background holder as alice "${NO_BUS[@]}" vfioctl acquire $N
wait_until 20 said holder lease/
contains "$(as bob vfioctl --socket leases)" alice
refused org.vfiod1.Error.Leased as alice vfioctl --socket acquire $N
vfioctl --socket unbind --wait=30 $N
wait_until 10 gone holder
expect "it was told who wants it" said holder "back: "
is "$(driver_of $N)" e1000e

systemctl stop vfiod.service
wait_until 20 gone monitor
expect "the end of the daemon is shown" said monitor stopped
systemctl stop vfiod.socket
refused "nobody listens at /run/vfiod/socket: is vfiod.socket started?" as alice vfioctl --socket list
systemctl start vfiod.socket
