# SPDX-License-Identifier: LGPL-2.1-or-later
# The packages on a machine without vfiod: the socket is there and the daemon is not, until the bus or the socket is asked; it then does
# its work. Where the administrator lets no service start on installation (policy-rc.d), nothing is started.
# machine: debian
# usually: stock
# time: 300

N=0000:01:00.0
without_packages
lacks "$(type -P vfioctl || true)" vfioctl "the machine has no vfioctl"
installs "$DEBS"
is "$(systemctl is-active vfiod.service)" inactive "the daemon waits until it is wanted"
is "$(systemctl is-enabled vfiod.socket) $(systemctl is-active vfiod.socket)" "enabled active"
is "$(stat -c '%a %U %G' /run/vfiod/socket)" "660 root vfio" "the socket is for the group, which the package has made"

contains "$(vfioctl list $N)" "$N" "the bus starts it"
expect "it runs" systemctl is-active vfiod.service
is "$(readlink "/proc/$(main_pid)/exe")" /usr/libexec/vfiod
systemctl stop vfiod.service
expect "the socket outlives it" systemctl is-active vfiod.socket
contains "$(vfioctl --socket list $N)" "$N" "the socket starts it"
expect "it runs again" systemctl is-active vfiod.service

allow alice acquire bind unbind
contains "$(as alice vfioctl exec --bind $N -- $VFIO_USER --container '{container}' --device "$N={device:$N}" identify)" "config space says"
wait_until 15 as alice vfioctl unbind $N
is "$(driver_of $N)" e1000e

without_packages
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
installs "$DEBS"
is "$(systemctl is-active vfiod.socket || true)" inactive "policy-rc.d is obeyed"
rm /usr/sbin/policy-rc.d
systemctl start vfiod.socket
contains "$(vfioctl --socket list $N)" "$N"
without_packages
