# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a holder that listens for ReleaseRequested gives the device back as soon as it is asked, and no signal is sent.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-polite.sh"
