# SPDX-License-Identifier: LGPL-2.1-or-later
# Wherever an acquisition in iommufd mode is broken off, there is no lease, and the devices are as they were.
# kernels: lab
# slow
# time: 1800
# kills-vfiod

export KILL_MODE=iommufd
. "$LAB/cases/kill-acquire.sh"
