# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the cases state-* can say: a lease that outlives the daemon or does not, and a state file that is in trouble. lib.sh reads this.

STATE=/run/vfiod/state.json

# hold_lease DEVICE: binds it, and has a program use it under a lease.
hold_lease() {
        vfioctl bind "$1"
        background survivor vfioctl exec --mode=group "$1" -- "$VFIO_USER" --container '{container}' --device "$1={device:$1}" \
                identify map 1 hold identify unmap
        wait_until 30 said survivor holding
}

# crash_vfiod: kills it, and systemd starts another.
crash_vfiod() {
        local pid
        pid=$(pid_of_vfiod)
        kill -KILL "$pid"
        wait_until 30 vfiod_is_another_than "$pid"
}

vfiod_is_another_than() {
        [ "$(systemctl is-active vfiod.service)" = active ] && [ "$(pid_of_vfiod)" != "$1" ]
}

# end_lease: the program has had the device to the end.
end_lease() {
        finish survivor >"$WORK/survivor.end"
        is "$(grep -c 'config space says' "$WORK/survivor.end")" 2 "what it has works as before"
        wait_until 30 no_leases
}

# lease_properties: of the only lease.
lease_properties() {
        local path
        path=$(vfioctl leases | grep -o 'lease/[0-9]*')
        busctl --json=short call org.vfiod1 "/org/vfiod1/$path" org.freedesktop.DBus.Properties GetAll s org.vfiod1.Lease
}

# forget_records, records_say TEXT: what vfiod has said since then.
forget_records() {
        journalctl --sync
        RECORDS_FROM=$(journalctl --quiet --no-pager --output=cat --lines=1 --show-cursor | sed -n 's/^-- cursor: //p')
}

records() {
        journalctl --sync
        journalctl --quiet --no-pager --output=cat --after-cursor="$RECORDS_FROM" --unit=vfiod.service
}

records_say() {
        [[ $(records) == *"$1"* ]]
}

# small_disk: the state file's directory is a disk of its own, of a few pages; to be called before vfiod is started.
small_disk() {
        mkdir -p /run/vfiod
        mount -t tmpfs -o size=16k,mode=0755 small-disk /run/vfiod
}

# small_disk_off: vfiod has ended, and the directory is as before.
small_disk_off() {
        systemctl stop vfiod.service
        umount /run/vfiod
}

# lost_with DEVICE TEXT COMMAND...: the command spoils the state file while vfiod is down and DEVICE leased. It starts, and says TEXT;
# the holder keeps what it has, nobody else is given the device, and when he lets go the host gets it.
lost_with() {
        local device=$1 text=$2
        shift 2
        hold_lease "$device"
        systemctl stop vfiod.service
        "$@"
        forget_records
        systemctl start vfiod.service
        wait_until 10 records_say "the state that was left for this start cannot be used: $text"
        expect "it says what it did with the leases" records_say "of leases that nothing is known of were closed"
        expect "the bad file is kept aside" test -e $STATE.bad -o -L $STATE.bad
        is "$(systemd-analyze fdstore vfiod.service 2>/dev/null | grep -c lease)" 0 "systemd has no file of the lease"
        refused org.vfiod1.Error.HeldOutside vfioctl exec "$device" -- true
        refused org.vfiod1.Error.HeldOutside vfioctl unbind "$device"
        is "$(driver_of "$device")" vfio-pci
        end_lease
        wait_until 20 vfioctl unbind "$device"
        is "$(driver_of "$device") $(override_of "$device")" "e1000e none"
        systemctl restart vfiod.service
        contains "$(vfioctl list "$device")" "$device"
}
