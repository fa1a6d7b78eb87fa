# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What vfiod costs on a machine of an ordinary size: 21 devices.
# machine: ordinary
# kernel: lab

python3 "$LAB/bench/bench.py" --device 0000:02:00.0
