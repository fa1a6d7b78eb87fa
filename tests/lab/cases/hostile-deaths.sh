# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that dies in every state that one can be in, everybody else is served, and nothing stays of it.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "a client that dies in every state" deaths $HOSTILE_DEVICE
vfioctl bind $HOSTILE_DEVICE
hostile_end
