# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The same where there are more than 500 devices: four NVMe controllers with 127 virtual functions each.
# machine: many
# kernel: lab

for controller in /sys/bus/pci/devices/*; do
        [ -e "$controller/sriov_totalvfs" ] || continue
        echo 0 >"$controller/sriov_drivers_autoprobe"
        echo 127 >"$controller/sriov_numvfs"
done
udevadm settle
python3 "$LAB/bench/bench.py" --rounds 3 --no-ping
