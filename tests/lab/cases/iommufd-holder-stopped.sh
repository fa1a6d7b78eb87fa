# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a stopped holder hears nothing and cannot act on SIGBUS: SIGKILL ends it all the same.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-stopped.sh"
