# SPDX-License-Identifier: LGPL-2.1-or-later
# Without polkit root alone may do things, and the error says why.

N=0000:01:00.0
systemctl mask --runtime --now polkit.service
refused "polkit is not there to ask, so only root may do this" as alice vfioctl bind $N
refused "org.vfiod1.list" as alice vfioctl list
vfioctl bind $N
vfioctl unbind $N
systemctl unmask --runtime polkit.service
systemctl start polkit.service
