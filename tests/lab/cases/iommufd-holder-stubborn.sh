# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a holder that handles SIGBUS and goes on gets SIGKILL, after the grace for SIGBUS and not before.
# kernels: lab
# usually: lab
# time: 120

in_mode iommufd
. "$LAB/cases/holder-stubborn.sh"
