# SPDX-License-Identifier: LGPL-2.1-or-later
# On the machine `shpchp` the driver of that name owns the PCIe-to-PCI bridge: the group has a bridge driver as a blocker.
# machine: shpchp
# kernels: stock

is "$(driver_of 0000:00:03.0)" shpchp
is "$(members_of "$(group_of 0000:03:01.0)")" "0000:00:03.0 0000:03:01.0 0000:03:02.0"
