# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian's QEMU, as an ordinary user without any capability, drives a NIC and then a disk that vfiod has handed to it.
# machine: vm-host
# kernels: lab
# time: 180

N=0000:01:00.0 S=0000:02:00.0
vfioctl bind $N $S
allow alice acquire raise-memlock
ulimit -l 4194304
vm one alice $N
is "$(vm_has one 8086:10d3)" 1 "it has the e1000e"
qmp one query-pci
cat "/proc/$(pid_of one)/status"
finish one
vfioctl unbind $N $S
