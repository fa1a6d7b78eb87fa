# SPDX-License-Identifier: LGPL-2.1-or-later
# vfiod that no service manager has started: a lease does not outlive it, which is said, and its group is nobody else's until the holder
# lets go; the driver that the device came from is known to the next one.
# time: 240
# kills-vfiod

N=0000:01:00.0
begin_vfiod() {
        background vfiod /usr/libexec/vfiod --state /run/vfiod
        wait_until 30 busctl status org.vfiod1
}
kill_vfiod() {
        kill "-$1" "$(pid_of vfiod)"
        wait_until 30 gone vfiod
}

systemctl stop vfiod.socket vfiod.service
trap 'systemctl start vfiod.socket' EXIT
for signal in TERM KILL; do
        begin_vfiod
        vfioctl bind $N
        begin_user holder $N
        lease=$(vfioctl leases | grep -o 'lease/[0-9]*')

        kill_vfiod $signal
        begin_vfiod
        journalctl --sync
        contains "$(journalctl --quiet --no-pager --output=cat "_PID=$(pid_of vfiod)")" "lease ${lease#lease/} of uid 0 cannot go on"
        contains "$(vfioctl leases)" draining "it is over, and seen to be held"
        contains "$(vfioctl --json holders $N)" "$(pid_of holder)"
        refused org.vfiod1.Error.Leased vfioctl unbind $N
        refused org.vfiod1.Error.Leased vfioctl exec $N -- true
        refused "lease ${lease#lease/} is over" busctl call org.vfiod1 "/org/vfiod1/$lease" org.vfiod1.Lease GetFds uu 0 0

        is "$(finish holder | grep -c 'config space says')" 2 "the holder's files work as before, and so does what was mapped"
        wait_until 30 no_leases
        kill_vfiod $signal
        begin_vfiod
        vfioctl unbind $N
        is "$(driver_of $N)" e1000e "by what the first one has written down"
        kill_vfiod $signal
done
