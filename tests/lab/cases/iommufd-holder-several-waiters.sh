# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: two callers wait for one device and both succeed; meanwhile it is not given to anybody else, who is told why.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-several-waiters.sh"
