# SPDX-License-Identifier: LGPL-2.1-or-later
# Power is cut at each write of assignments.json: the next boot has the old or the new assignments, all of them, and after the answer
# the new ones. Every device is where the file says, and vfiod finds nothing wrong.
# machine: lasting
# kernels: lab
# usually: lab
# boot: own
# slow
# time: 1800

# A file that is replaced, and one that goes. Boots are dear, and the other operations write as the first does.
cut_assignments assign_another unassign_last
cut_everywhere "$@"
