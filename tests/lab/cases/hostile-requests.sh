# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client with 10,000 requests in flight, whose answers it reads when it has no more to send, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "10,000 requests in flight" flood Overview 10000
done
hostile_end
