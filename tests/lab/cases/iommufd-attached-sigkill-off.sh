# SPDX-License-Identifier: LGPL-2.1-or-later
# In iommufd mode, devices attached by vfiod: with SIGKILL switched off a holder that survives SIGBUS keeps its device, which is
# attached again and works as before.
# kernels: lab
# usually: lab
# time: 120
# slow

in_mode iommufd
# shellcheck disable=SC2034 # for hold
PREPARE=attach
. "$LAB/cases/holder-sigkill-off.sh"
