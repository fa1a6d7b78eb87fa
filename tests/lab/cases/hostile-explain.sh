# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that asks Explain over and over, a hundred times at once, everybody else is served.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "a flood of Explain" flood Explain 100 $HOSTILE_DEVICE
hostile_end
