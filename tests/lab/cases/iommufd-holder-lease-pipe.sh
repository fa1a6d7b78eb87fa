# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a holder that knows no D-Bus, but reads the byte from the lease's pipe, gives the device back as soon as it is
# asked.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-lease-pipe.sh"
