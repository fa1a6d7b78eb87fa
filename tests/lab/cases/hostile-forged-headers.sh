# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client whose messages pretend to be from somebody else, everybody else is served, and nobody is believed.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "forged headers" forged
hostile_end
