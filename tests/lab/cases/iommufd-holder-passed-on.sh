# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: the owner has sent the files to another uid's process and has ended: that process is the holder.
# kernels: lab
# usually: lab
# time: 120

in_mode iommufd
. "$LAB/cases/holder-passed-on.sh"
