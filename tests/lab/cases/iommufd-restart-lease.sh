# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a lease outlives the daemon, however that ends and begins again: its path, its properties, its files and what is
# mapped through them are as before, and in the end the host has its driver back.
# kernels: lab
# time: 240
# kills-vfiod

in_mode iommufd
. "$LAB/cases/restart-lease.sh"
