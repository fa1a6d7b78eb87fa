# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client whose messages are as long as can be, or make no sense, everybody else is served.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "huge messages" huge
nobody_suffers bus "malformed messages" mutants
hostile_end
