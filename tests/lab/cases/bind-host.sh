# SPDX-License-Identifier: LGPL-2.1-or-later
# The chipset's group and groups of bridges are never moved; no driver that is not a vfio driver is loaded for anybody.

chipset=$(group_of 0000:00:1f.0)
refused org.vfiod1.Error.HostDevice vfioctl bind "group/$chipset"
refused 0000:00:1f.0 vfioctl bind 0000:00:1f.2
refused org.vfiod1.Error.HostDevice vfioctl exec --bind "group/$chipset" -- true
refused org.vfiod1.Error.NothingToBind vfioctl bind "group/$(group_of 0000:00:01.0)"
refused org.vfiod1.Error.NothingToBind vfioctl exec 0000:00:03.0 -- true
refused org.vfiod1.Error.NoVfioDriver vfioctl bind --driver e1000e 0000:01:00.0
vfioctl bind --driver vfio-pci 0000:01:00.0
vfioctl unbind 0000:01:00.0
