# SPDX-License-Identifier: LGPL-2.1-or-later
# Whenever the power is cut while the state file is written, on a machine where that is on a disk (/run is in memory, as a rule), the disk
# has one of the states that there were, whole.
# machine: lasting
# kernels: lab
# usually: lab
# boot: own
# time: 1800

cut_state
any_cut
set_up
