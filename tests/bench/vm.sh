# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a VM's start costs more where its device comes from vfiod, and the VM is an ordinary user's.
# machine: vm-host
# kernel: lab

mkdir -p "$WORK"
allow alice acquire raise-memlock
python3 "$LAB/bench/bench.py" --device 0000:01:00.0 --vm-user alice
