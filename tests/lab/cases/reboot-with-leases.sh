# SPDX-License-Identifier: LGPL-2.1-or-later
# A reboot in order while devices are leased in both modes, one of them assigned, and one is bound without a lease: vfiod keeps nobody
# waiting, the holder that does not hear is killed by systemd when his time is over. At the next boot nothing is left of the leases,
# the assigned group is on vfio-pci, everything else on its own driver, and vfiod finds nothing wrong.
# machine: lasting
# kernels: lab
# usually: lab
# boot: own
# time: 180

N=0000:01:00.0 S=0000:02:00.0 A=0000:03:01.0 B=0000:03:02.0

# service NAME COMMAND...: the program goes on till it gets SIGTERM, or is killed. Its unit is stopped by another signal if so asked for.
service() {
        systemd-run --quiet --unit="$1" --property=TimeoutStopSec=5 ${STOP_SIGNAL:+--property=KillSignal=$STOP_SIGNAL} -- "${@:2}"
        wait_until 30 unit_said "$1" holding
}
unit_said() { journalctl --quiet --no-pager --output=cat --unit="$1" | grep -qF -- "$2"; }
before_boot() { journalctl --quiet --no-pager --directory=$LASTING_JOURNAL --output=cat "$@"; }

first_boot() {
        vfioctl assign --now $A
        STOP_SIGNAL=SIGWINCH service deaf vfioctl exec --bind --mode=iommufd $N -- "$VFIO_USER" --iommufd '{iommufd}' --ioas given \
                --cdev "$N={cdev:$N}" identify map 1 hold
        service polite vfioctl exec --mode=group $A -- "$VFIO_USER" --container '{container}' --device "$A={device:$A}" \
                identify map 1 hold
        vfioctl bind $S
        is "$(vfioctl leases | grep -c 'held')" 2
        is "$(drivers $N $S $A $B)" "$(drivers_all vfio-pci/vfio-pci vfio-pci/vfio-pci vfio-pci/vfio-pci vfio-pci/vfio-pci)"
        reboot_in_order again
}
drivers_all() { printf '%s %s ' $N "$1" $S "$2" $A "$3" $B "$4"; }

second_boot() {
        is "$(before_boot --unit=deaf | grep -c 'SIGKILL')" 1 "one holder did not hear, and was killed"
        contains "$(before_boot --unit=polite)" "letting go"
        contains "$(before_boot --unit=vfiod.service)" "Stopped vfiod.service"
        lacks "$(before_boot --unit=vfiod.service)" "timed out"
        is "$(before_boot --priority=warning --unit=vfiod.service)" "" "vfiod had nothing to complain of to the end"
        # The rest is of the lab: its kernel, its port without a slot, its journal that stays open to the end.
        is "$(before_boot --priority=err | grep -vE 'mitigations|shpchp|var-log-journal')" "" "nor had anybody else"

        is "$(systemctl show --value --property=ActiveState vfiod.service)" inactive "vfiod has not run in this boot"
        is "$(drivers $N $S $A $B)" "$(drivers_all e1000e/none nvme/none vfio-pci/vfio-pci vfio-pci/vfio-pci)"
        expect "no state is left" test ! -e $STATE
        contains "$(vfioctl list $A)" "(assigned)"
        nothing_is_held
        is "$(vfioctl --json list | grep -c '"stuck"')" 0
        for device in $N $A; do
                vfioctl exec --bind --mode=group $device -- "$VFIO_USER" --container '{container}' --device "$device={device:$device}" \
                        identify map 1
        done
        wait_until 15 no_leases
        vfioctl unbind $N
        is "$(drivers $N $S $A $B)" "$(drivers_all e1000e/none nvme/none vfio-pci/vfio-pci vfio-pci/vfio-pci)"
        is "$(journalctl --quiet --no-pager --priority=warning --unit=vfiod.service)" "" "vfiod has nothing to complain of"
        is "$(systemctl is-system-running --wait || true)" running "nothing has failed"
}

if [ $# -eq 0 ]; then first_boot; else second_boot; fi
