# SPDX-License-Identifier: LGPL-2.1-or-later
# Devices come and go while others list and bind: answers stay right, and a bind of what is gone says so.

H=0000:04:00.0
vfioctl list >/dev/null
background lister sh -c 'while vfioctl list; do :; done'
background binder sh -c "while :; do vfioctl bind $H; vfioctl unbind $H; done"
known() { [[ $(vfioctl list) == *$H* ]]; }
unknown() { ! known; }
for _ in 1 2 3; do
        host device_add e1000e,id=hot0,bus=hp1
        wait_until 20 known
        sleep 1
        host device_del hot0
        wait_until 30 unknown
done
expect "listing has gone on" kill -0 "$(pid_of lister)"
finish binder >/dev/null
finish lister >/dev/null
systemctl is-active vfiod.service
refused org.vfiod1.Error.NotFound vfioctl bind $H
