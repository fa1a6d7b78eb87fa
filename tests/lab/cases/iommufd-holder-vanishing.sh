# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: holders end between being found and being signalled, when the device is quiesced, and innocent processes get
# their pids at once.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-vanishing.sh"
