# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: 200 children have inherited the files: all of them are listed, and all of them are ended.
# kernels: lab
# usually: lab
# time: 180
# slow

in_mode iommufd
. "$LAB/cases/holder-many.sh"
