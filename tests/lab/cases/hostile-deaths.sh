# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that dies in every state that one can be in, everybody else is served, and nothing stays of it.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "a client that dies in every state" deaths $HOSTILE_DEVICE
done
vfioctl bind $HOSTILE_DEVICE
hostile_end
