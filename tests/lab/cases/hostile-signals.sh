# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that sends signals to vfiod, its group and its workers, in each way there is, everybody else is served.
# usually: lab
# time: 600

hostile_begin
pid=$(daemon_pid)
nobody_suffers bus "signals to the daemon's group" signals "$pid"
is "$(daemon_pid)" "$pid" "vfiod is the same process"
hostile_end
