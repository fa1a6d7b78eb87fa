# SPDX-License-Identifier: LGPL-2.1-or-later
# The state file ends in its middle (at each byte: tests/bus/test-bus-state.c): it is put aside, and nobody is endangered.
# time: 240

lost_with 0000:01:00.0 "byte " truncate --size=100 $STATE
