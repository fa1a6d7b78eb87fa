# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a holder that knows only the device-request interrupt closes the device when it is asked; that it keeps all the
# rest is no matter.
# kernels: lab
# usually: lab
# time: 120

in_mode iommufd
. "$LAB/cases/holder-request.sh"
