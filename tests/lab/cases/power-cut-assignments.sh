# SPDX-License-Identifier: LGPL-2.1-or-later
# Whenever the power is cut while assignments.json is written, the disk has the old or the new assignments, all of them; and after the
# answer it has the new ones.
# machine: lasting
# kernels: lab
# usually: lab
# boot: own
# time: 1800

cut_assignments
any_cut
