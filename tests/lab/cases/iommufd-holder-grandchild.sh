# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: the owner has ended, a child that inherited the files has them: it is the one that is listed, and the one that
# gets SIGBUS.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-grandchild.sh"
