# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that keeps asking for what it would have to authenticate for, everybody else is served: without an agent, where polkit
# refuses, and with one before which nobody sits.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "a flood of authentications" flood Acquire 100 0000:02:00.0
        AGENT=never nobody_suffers "$transport" "a flood of authentications before nobody" flood Acquire 100 0000:02:00.0
done
hostile_end
