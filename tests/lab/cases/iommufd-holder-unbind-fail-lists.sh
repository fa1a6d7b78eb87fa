# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: without a policy, unbind of what is held fails at once, and the error says who holds it, with a lease or
# without.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-unbind-fail-lists.sh"
