# SPDX-License-Identifier: LGPL-2.1-or-later
# While a bind hangs in the kernel everybody else is answered; past its deadline the devices are stuck, and recover by themselves.

N=0000:01:00.0
slow=/run/systemd/system/modprobe@vfio_pci.service.d
forget_slow() {
        rm -rf $slow
        systemctl daemon-reload
}
trap forget_slow EXIT
configure '{"step_deadline_ms": 30000}'
mkdir -p $slow
printf '[Service]\nExecStartPre=/bin/sh -c "while [ ! -e %s ]; do sleep 0.1; done"\n' "$WORK/go-on" >$slow/lab.conf
systemctl daemon-reload
[ ! -e /sys/module/vfio_pci ] || modprobe -r vfio_pci
vfioctl list

background binder vfioctl bind $N
busy() { [[ $(vfioctl --json show $N) == *busy* ]]; }
wait_until 25 busy
expect "others are answered meanwhile" timeout 20 vfioctl list
refused org.vfiod1.Error.Busy vfioctl bind $N
wait_until 60 gone binder
expect "the caller is told" said binder org.vfiod1.Error.TimedOut
expect "and in which step" said binder "load module"
refused org.vfiod1.Error.Stuck vfioctl bind $N
expect "others are answered still" timeout 20 vfioctl list
contains "$(vfioctl --json show $N)" stuck

touch "$WORK/go-on"
idle() { [[ $(vfioctl --json show $N) == *idle* ]]; }
wait_until 60 idle
forget_slow
is "$(driver_of $N) $(override_of $N)" "e1000e none"
vfioctl bind $N
vfioctl unbind $N
rm /etc/vfiod/vfiod.json
