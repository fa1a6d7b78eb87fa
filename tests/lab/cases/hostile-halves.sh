# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that sends halves of messages with as many files as fit, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "halves of messages full of files" halves
done
hostile_end
