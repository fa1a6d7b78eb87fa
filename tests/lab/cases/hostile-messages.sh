# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client whose messages are as long as can be, or make no sense, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "huge messages" huge
        nobody_suffers "$transport" "malformed messages" mutants
done
hostile_end
