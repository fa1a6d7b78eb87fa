# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a lease does not outlive a vfiod that no service manager has started, which is said, and its group is nobody else's
# until the holder lets go; the driver that the device came from is known to the next one.
# kernels: lab
# time: 240
# kills-vfiod

in_mode iommufd
. "$LAB/cases/restart-without-store.sh"
