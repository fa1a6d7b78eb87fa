# SPDX-License-Identifier: LGPL-2.1-or-later
# The state file has no byte in it at the start, as a disk leaves it that lost its power: it is put aside, and nobody is endangered.
# time: 240

lost_with 0000:01:00.0 "it is empty; it was put aside as state.json.bad" truncate --size=0 $STATE
