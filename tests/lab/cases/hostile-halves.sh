# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that sends halves of messages with as many files as fit, everybody else is served.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "halves of messages full of files" halves
hostile_end
