# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that sends signals to vfiod, its group and its workers, in each way there is, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
pid=$(pid_of_vfiod)
for transport in bus socket; do
        nobody_suffers "$transport" "signals to the daemon's group" signals "$pid"
done
is "$(pid_of_vfiod)" "$pid" "vfiod is the same process"
hostile_end
