# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon is started by whoever calls it on the bus or connects to the socket, first or together; the socket is the group's.
# time: 180

N=0000:01:00.0
state() { systemctl show --value --property=ActiveState "$1"; }
inherited() { tr '\0' '\n' <"/proc/$(pid_of_vfiod)/environ" | sed -n 's/^LISTEN_FDNAMES=//p'; }
running() { [ "$(state vfiod.service)" = active ]; }
# connect USER GROUP: as a process of just that user and group.
connect() {
        setpriv --reuid="$1" --regid="$2" --clear-groups python3 -c '
import socket
socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect("/run/vfiod/socket")'
}

at_socket() { setpriv --reuid=alice --regid=vfio --clear-groups vfioctl --socket --json list; }
over_bus() { as alice vfioctl --json list; }

is "$(state vfiod.service) $(state vfiod.socket)" "inactive active" "only the socket is there at first"
is "$(stat -c '%F %a %U %G' /run/vfiod/socket)" "socket 660 root vfio"
is "$(stat -c '%a %U %G' /run/vfiod)" "755 root root"
refused "PermissionError" connect alice alice
is "$(state vfiod.service)" inactive "who is not let in starts nothing"

words=$(at_socket)
is "$words" "$(over_bus)" "who asks at the socket is told the same as on the bus"
is "$(inherited)" socket "it got the socket, by its name"
systemctl stop vfiod.service

vfioctl list >/dev/null
expect "the bus starts it, too" running
is "$(inherited)" socket "with the socket"
systemctl stop vfiod.service

# An administrator who wants no socket masks it; a daemon that starts without it takes it into being.
systemctl stop vfiod.socket
expect "its file is gone" test ! -e /run/vfiod/socket
vfioctl list >/dev/null
is "$(state vfiod.socket) $(inherited)" "active socket" "a daemon that the bus starts brings its socket"
systemctl stop vfiod.service vfiod.socket
systemctl mask --runtime vfiod.socket
vfioctl list >/dev/null
is "$(inherited)" "" "there is none where it is masked"
expect "nor its file" test ! -e /run/vfiod/socket
systemctl stop vfiod.service
systemctl unmask --runtime vfiod.socket
systemctl start vfiod.socket

# Both at once.
background bus vfioctl bind $N
at_socket
wait_until 60 gone bus
is "$(driver_of $N)" vfio-pci
vfioctl unbind $N

# A daemon that cannot start is tried once for each who asks; once the cause is gone it needs no help.
systemctl stop vfiod.service
configure '{"bad": 1}'
failed() { [ "$(systemctl show --value --property=ExecMainStatus vfiod.service) $(state vfiod.service)" = "78 failed" ]; }
connect alice vfio
wait_until 60 failed
sleep 3
is "$(state vfiod.socket) $(state vfiod.service)" "active failed" "the socket is not given up"
is "$(systemctl show --value --property=NRestarts vfiod.service)" 0
refused "" vfioctl list
rm -r /etc/vfiod
expect "the socket starts it again" at_socket
