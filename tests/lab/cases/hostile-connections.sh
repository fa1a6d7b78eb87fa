# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client with 1,000 connections, everybody else is served.
# usually: lab
# time: 600

hostile_begin
nobody_suffers bus "1,000 connections" connections 1000
hostile_end
