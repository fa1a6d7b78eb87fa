# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: the owner has closed everything but what is in flight: its lease drains, nobody is to be seen, so the group is
# stuck until the socket is closed.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-in-flight-drains.sh"
