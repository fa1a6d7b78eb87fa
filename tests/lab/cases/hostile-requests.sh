# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client with 10,000 requests in flight, whose answers it reads when it has no more to send, everybody else is served.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "10,000 requests in flight" flood Overview 10000
hostile_end
