# SPDX-License-Identifier: LGPL-2.1-or-later
# A holder that knows only the device-request interrupt closes the device when it is asked; that it keeps all the rest is no matter.
# usually: lab

N=0000:01:00.0
allow alice acquire bind
keep_pinging
gives_back_when_asked $N request "the request interrupt"
always_answered
