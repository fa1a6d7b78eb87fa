# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: nobody lets go in time: the error lists the holders, the device works as before, and no signal was sent.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-wait-timeout.sh"
