# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode: a holder that takes SIGBUS for what it means gives back and lives on: nobody sends it SIGKILL, and nobody waits
# for longer.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
. "$LAB/cases/holder-careful.sh"
