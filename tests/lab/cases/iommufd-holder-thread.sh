# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: the files are in the table of one thread alone, the process has closed its own: it is found, and gets SIGBUS.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-thread.sh"
