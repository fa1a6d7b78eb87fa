# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that reads everything there is over and over, a hundred times at once, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "a flood of GetManagedObjects" flood GetManagedObjects 100
done
hostile_end
