# SPDX-License-Identifier: LGPL-2.1-or-later
# A daemon that hangs or crashes is started again; one whose worker waits for the kernel is not taken for hung; one that has
# nothing to do is never woken.
# usually: stock
# kills-vfiod
# time: 480

N=0000:01:00.0
wakes() { awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$(pid_of_vfiod)/status"; }
restarts() { systemctl show --value --property=NRestarts vfiod.service; }
has_restarted() { [ "$(restarts)" = "$1" ] && vfioctl list >/dev/null; }
slow=/run/systemd/system/modprobe@vfio_pci.service.d
short=/run/systemd/system/vfiod.service.d
trap 'rm -rf $slow $short; systemctl daemon-reload' EXIT

vfioctl list
is "$(systemctl show --value --property=WatchdogUSec vfiod.service)" 3min
# What the start has stirred up is over first.
quiet() { local before; before=$(wakes); sleep 3; [ "$(wakes)" = "$before" ]; }
wait_until 30 quiet
before=$(wakes)
sleep 10
is "$(wakes)" "$before" "nothing wakes it in 10 s"

# A module that takes three times the watchdog's time to load, and no deadline of vfiod's that comes first.
configure '{"step_deadline_ms": 600000}'
mkdir -p $slow $short
printf '[Service]\nExecStartPre=/bin/sleep 65\n' >$slow/lab.conf
printf '[Service]\nWatchdogSec=20s\n' >$short/lab.conf
systemctl daemon-reload
systemctl restart vfiod.service
[ ! -e /sys/module/vfio_pci ] || modprobe -r vfio_pci
started=$SECONDS
vfioctl bind $N
expect "it took its time" test $((SECONDS - started)) -ge 64
is "$(driver_of $N) $(restarts)" "vfio-pci 0" "a busy worker does not trip the watchdog"
vfioctl unbind $N

pid=$(pid_of_vfiod)
kill -STOP "$pid"
wait_until 45 has_restarted 1
expect "it is another process" test "$(pid_of_vfiod)" != "$pid"
kill -SEGV "$(pid_of_vfiod)"
wait_until 45 has_restarted 2
journalctl --sync
contains "$(journalctl --quiet --no-pager -u vfiod.service)" "Watchdog timeout"
vfioctl bind $N
vfioctl unbind $N
