# SPDX-License-Identifier: LGPL-2.1-or-later
# Its owner releases a lease, others only with org.vfiod1.release-other; the holder reads end-of-file.

N=0000:01:00.0
allow alice acquire bind
background holder as alice vfioctl acquire --bind $N
wait_until 20 said holder lease/
refused org.freedesktop.DBus.Error as bob vfioctl --no-ask-password release 1
contains "$(vfioctl leases)" held
as alice vfioctl release 1
wait_until 10 gone holder
said holder ended || said holder over || fail "the holder is told"

background holder as alice vfioctl acquire $N
wait_until 20 said holder lease/2
allow carol release-other
as carol vfioctl release lease/2
wait_until 10 gone holder
refused org.freedesktop.DBus.Error.UnknownObject vfioctl release 2
vfioctl unbind $N
