# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: with SIGKILL switched off a holder that survives SIGBUS keeps its device, which works again as before.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-sigkill-off.sh"
