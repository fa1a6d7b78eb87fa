# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: the device is in flight in a socket nobody reads: nobody can be signalled, so the device is stuck, and recovers
# by itself when the socket is closed. Meanwhile everybody else is served as ever.
# kernels: lab
# usually: lab
# time: 180

in_mode iommufd
. "$LAB/cases/holder-in-flight.sh"
