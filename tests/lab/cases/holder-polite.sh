# SPDX-License-Identifier: LGPL-2.1-or-later
# A holder that listens for ReleaseRequested gives the device back as soon as it is asked, and no signal is sent.
# usually: stock

N=0000:01:00.0
allow alice acquire bind
keep_pinging
gives_back_when_asked $N polite ReleaseRequested
always_answered
