# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: during the wait a holder ends and an innocent process gets its pid: only the holder that is left gets a signal.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-pid-reused.sh"
