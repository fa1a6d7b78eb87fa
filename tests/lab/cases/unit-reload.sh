# SPDX-License-Identifier: LGPL-2.1-or-later
# `systemctl reload` makes vfiod read its configuration again; a bad one fails the reload, is said to be bad, and the old one stays.
# usually: stock
# time: 120

A=0000:01:00.0 B=0000:02:00.0
status() { systemctl show --value --property=StatusText vfiod.service; }
log() { journalctl --sync; journalctl --quiet --no-pager --output=cat -u vfiod.service; }
refuses_two() { [[ $(vfioctl bind $A $B 2>&1) == *org.vfiod1.Error.TooManyTargets* ]]; }
vfioctl bind $A $B
vfioctl unbind $A $B
pid=$(pid_of_vfiod)

configure '{"limits": {"targets": 1}}'
systemctl reload vfiod.service
wait_until 10 refuses_two
contains "$(log)" "the configuration has been read again"

configure '{"limits": {"targets": 1, "leeses": 5}}'
refused "" systemctl reload vfiod.service
contains "$(log)" "/etc/vfiod/vfiod.json:1: limits.leeses: unknown key"
expect "the old one stays" refuses_two
lacks "$(status)" bad "vfiod was not asked"

# Without systemctl, which has had it checked first.
kill -HUP "$pid"
is_bad() { [[ $(status) == *"the new configuration is bad"* ]]; }
wait_until 10 is_bad
contains "$(log)" "keeping the configuration that was read before"
is "$(systemctl show --value --property=ActiveState vfiod.service)" active "READY=1 followed RELOADING=1"
expect "the old one stays" refuses_two

rm -r /etc/vfiod
systemctl reload vfiod.service
takes_two() { ! refuses_two; }
wait_until 10 takes_two
lacks "$(status)" bad
is "$(pid_of_vfiod)" "$pid" "it is the same process throughout"
vfioctl unbind $A $B

# What systemd is told, in this order.
systemctl stop vfiod.service vfiod.socket
python3 - <<'PYTHON'
import os, signal, socket, subprocess
here = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
here.bind("\0vfiod-lab-notify")
vfiod = subprocess.Popen(["/usr/libexec/vfiod"], env={"NOTIFY_SOCKET": "@vfiod-lab-notify"})
said = lambda: here.recv(4096).decode().split("\n")
assert "READY=1" in said()
vfiod.send_signal(signal.SIGHUP)
reloading, ready = said(), said()
assert reloading[0] == "RELOADING=1" and reloading[1].startswith("MONOTONIC_USEC="), reloading
assert ready[0] == "READY=1", ready
vfiod.terminate()
assert said() == ["STOPPING=1"]
assert vfiod.wait(20) == 0
PYTHON
systemctl start vfiod.socket
