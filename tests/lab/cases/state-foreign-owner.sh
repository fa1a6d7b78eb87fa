# SPDX-License-Identifier: LGPL-2.1-or-later
# The state file belongs to somebody else: what is in it is not believed, and nobody is endangered.
# time: 240

lost_with 0000:01:00.0 "it is no plain file of vfiod's own that nobody else may write to" chown alice $STATE
