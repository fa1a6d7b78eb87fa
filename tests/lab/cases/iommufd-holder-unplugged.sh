# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a leased device is pulled out: its owner is told by signal and by pipe, vfiod closes its own file of it at
# once, and when the owner lets go device and lease are gone.
# kernels: lab
# usually: lab
# time: 120

in_mode iommufd
. "$LAB/cases/holder-unplugged.sh"
