# SPDX-License-Identifier: LGPL-2.1-or-later
# The state file is of a newer vfiod, after a downgrade: it is not guessed at but put aside, and nobody is endangered.
# time: 240

lost_with 0000:01:00.0 "version: 99, written by a newer vfiod than this one" sed -i 's/"version":[0-9]*/"version":99/' $STATE
