# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: who waits gives up, by Ctrl-C or by being killed: nothing is touched, and the lease is as before.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-wait-cancelled.sh"
