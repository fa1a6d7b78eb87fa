# SPDX-License-Identifier: LGPL-2.1-or-later
# Removing the packages ends the daemon, though somebody asks for it all the time, whose leases' files stay with their holders, and leaves the configuration; purging leaves
# nothing; and they can be installed again.
# machine: debian
# usually: stock
# time: 300

N=0000:01:00.0
without_packages
files_of_machine >"$WORK/before"
installs "$DEBS"
printf '{ "limits": { "leases": 7 } }\n' >/etc/vfiod/vfiod.json
printf '{ "limits": { "waits": 7 } }\n' >/etc/vfiod/vfiod.json.d/waits.json
expect "the configuration is read" /usr/libexec/vfiod --check-config
vfioctl bind $N
background holder vfioctl exec $N -- $VFIO_USER --container '{container}' --device "$N={device:$N}" hold identify
wait_until 30 said holder holding

# Whose every call starts a daemon that is not there.
background asker sh -c 'while :; do busctl call org.vfiod1 /org/vfiod1 org.freedesktop.DBus.Peer Ping || true; done >/dev/null 2>&1'
dpkg --remove "${PACKAGES[@]}"
finish asker
is "$(systemctl is-active vfiod.service vfiod.socket || true)" $'inactive\ninactive'
refused "not provided by any .service files" busctl call org.vfiod1 /org/vfiod1 org.freedesktop.DBus.Peer Ping
expect "the configuration stays" test -e /etc/vfiod/vfiod.json.d/waits.json
is "$(systemctl show --property=NFileDescriptorStore --value vfiod.service)" 0 "systemd keeps nothing open"
contains "$(finish holder)" "config space says" "the holder's files go on working"
is "$(driver_of $N)" vfio-pci

installs "$DEBS"
contains "$(cat /etc/vfiod/vfiod.json)" 7 "installed again, it has its configuration"
# The bus waits 25 seconds for a start that the removal has cut short, and has everybody wait who asks meanwhile.
wait_until 60 vfioctl unbind $N
is "$(driver_of $N)" e1000e

dpkg --purge "${PACKAGES[@]}"
expect "its configuration is gone" test ! -e /etc/vfiod
files_of_machine >"$WORK/after"
is "$(state_difference "$WORK/before" "$WORK/after")" "" "no file is left, and none is missing"

installs "$DEBS"
contains "$(vfioctl list $N)" "$N"
without_packages
