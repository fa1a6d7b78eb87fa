# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the cases rebound-* can say: moving devices behind vfiod's back, and what vfiod has said of it. lib.sh reads this.

# sysfs_unbind DEVICE: takes it from the driver it is on.
sysfs_unbind() {
        echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
}

# sysfs_bind DEVICE DRIVER
sysfs_bind() {
        echo "$1" >"/sys/bus/pci/drivers/$2/bind"
}

# sysfs_override DEVICE [DRIVER]: none clears it.
sysfs_override() {
        echo "${2:-}" >"/sys/bus/pci/devices/$1/driver_override"
}

# forget_rebounds: what is said from now on counts.
forget_rebounds() {
        journalctl --sync
        REBOUNDS_FROM=$(journalctl --quiet --no-pager --output=cat --lines=1 --show-cursor | sed -n 's/^-- cursor: //p')
}

# rebounds DEVICE: the messages about it since then.
rebounds() {
        journalctl --sync
        journalctl --quiet --no-pager --output=cat --after-cursor="$REBOUNDS_FROM" "VFIOD_DEVICE=$1" \
                VFIOD_OPERATION=rebound VFIOD_OPERATION=override-changed
}

# said_of DEVICE TEXT: the last of them has that in it.
said_of() {
        [[ $(rebounds "$1" | tail -n 1) == *"$2"* ]]
}

# said_times DEVICE NUMBER: so many there are by now, and no more come when it is looked at.
said_times() {
        vfioctl list "$1" >/dev/null
        sleep 2
        is "$(rebounds "$1" | grep -c .)" "$2" "how often something was said of $1"
}

# shown DEVICE: its property Rebound.
shown() {
        vfioctl --json show "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["Rebound"])'
}

# leased: somebody holds a lease.
leased() {
        [[ $(vfioctl leases) == *held* ]]
}
