# SPDX-License-Identifier: LGPL-2.1-or-later
# On a machine without an IOMMU devices have no group: it is said so, and how an IOMMU is had, whatever is asked for.
# machine: no-iommu
# usually: lab

N=0000:01:00.0
words="$N is in no IOMMU group: this machine has no IOMMU that is switched on"
contains "$(vfioctl list 2>&1)" "this machine has no IOMMU groups; is its IOMMU switched on?"
for verb in explain bind unbind acquire reset inspect holders show; do
        refused "$words; switch it on in the firmware and on the kernel's command line" vfioctl "$verb" $N
done
refused "there is no device 0000:01:00.7 with an IOMMU group" vfioctl explain 0000:01:00.7
is "$(driver_of $N)" e1000e
