# SPDX-License-Identifier: LGPL-2.1-or-later
# A machine whose assignments are broken boots, says so once, and has every device on its own driver; vfiod starts, says so too, and
# assigns nothing until the file is mended.
# machine: assigned-broken
# boot: own
# time: 120

N=0000:01:00.0 FILE=/etc/vfiod/assignments.json
is "$(driver_of $N) $(override_of $N)" "e1000e none"
is "$(systemctl is-system-running --wait || true)" running "nothing has failed"
is "$(dmesg | grep -c 'vfiod-assigned: .*no device is assigned at this boot')" 1 "it is said once"
contains "$(dmesg)" "/etc/vfiod/assignments.json: at byte "
vfioctl list >/dev/null
contains "$(journalctl --no-pager -u vfiod.service)" "$FILE: at byte "
cp $FILE "$WORK/broken"
refused org.vfiod1.Error.BadAssignments vfioctl assign $N
expect "it is left as it is" cmp $FILE "$WORK/broken"
vfioctl bind $N
vfioctl unbind $N

chmod 666 $FILE
refused "a plain file of root that nobody else can write to" vfioctl assign $N
rm $FILE
vfioctl assign $N
vfioctl unassign $N
