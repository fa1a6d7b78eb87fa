# SPDX-License-Identifier: LGPL-2.1-or-later
# Power is cut at each write of the state file, on a machine where that outlasts a boot (/run is in memory, as a rule): the next boot has
# one of the states that there were, whole, and vfiod starts with it. What it says of leases, and of drivers that devices were on, is of
# another boot: it endangers nobody, and every device stays where this boot has put it.
# machine: lasting
# kernels: lab
# usually: lab
# boot: own
# slow
# time: 1800

# Boots are dear, and an acquisition has many more writes; power-cut-state looks into those.
cut_state bind_one
cut_everywhere "$@"
