# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that asks Explain over and over, a hundred times at once, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "a flood of Explain" flood Explain 100 $HOSTILE_DEVICE
done
hostile_end
