# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client whose messages pretend to be from somebody else, everybody else is served, and nobody is believed.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
for transport in bus socket; do
        nobody_suffers "$transport" "forged headers" forged
done
hostile_end
