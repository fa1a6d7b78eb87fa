# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: only a mapping of the BAR is left, all files are closed: it is found, and its process gets SIGBUS.
# kernels: lab
# usually: lab
# time: 120

in_mode iommufd
. "$LAB/cases/holder-mapping.sh"
