# SPDX-License-Identifier: LGPL-2.1-or-later
# A holder that knows no D-Bus, but reads the byte from the lease's pipe, gives the device back as soon as it is asked.
# usually: lab

N=0000:01:00.0
allow alice acquire bind
keep_pinging
gives_back_when_asked $N lease-pipe "the lease's pipe"
always_answered
