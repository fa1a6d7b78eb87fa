# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client with 1,000 connections, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "1,000 connections" connections 1000
done
hostile_end
