# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that keeps asking for what polkit has to refuse, everybody else is served.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "a flood of authentications" flood Acquire 100 0000:02:00.0
hostile_end
