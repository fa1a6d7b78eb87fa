# SPDX-License-Identifier: LGPL-2.1-or-later
# prepare=open hands over container and group as opened; the program attaches them itself.

N=0000:01:00.0
vfioctl bind $N
words=$(vfioctl exec --mode=group --prepare=open $N -- sh -c 'echo "$VFIOD_FDS"')
contains "$words" container:
contains "$words" "group:$(group_of $N)="
lacks "$words" device: "no device can be open in a group that is not attached"
vfioctl unbind $N
