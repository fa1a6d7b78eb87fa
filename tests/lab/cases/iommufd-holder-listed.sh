# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: holders are listed exactly: who has which kind of file of which group, under which lease, and in which unit;
# nobody else is.
# kernels: lab
# usually: lab
# time: 120

in_mode iommufd
. "$LAB/cases/holder-listed.sh"
