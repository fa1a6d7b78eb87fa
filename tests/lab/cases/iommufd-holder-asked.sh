# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a lease is asked back in three ways at once, with deadline and reason; each of them says it again to the next
# caller.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-asked.sh"
