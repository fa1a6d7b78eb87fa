# SPDX-License-Identifier: LGPL-2.1-or-later
# A holder ends between being found and being signalled, when the device is quiesced, and an innocent process gets its pid at once.

N=0000:01:00.0
keep_pinging
hold owner root $N vanishing
vanishes=$(number_after owner vanishes)
is "$(holders_of $N)" "$vanishes 0 holder - /org/vfiod1/lease/1 container,device,group,lease"
takes_back --revoke=1 $N
wait_until 5 said owner "process $vanishes is an innocent one now"
after_taking_back $N
expect "the innocent process is alive" runs "$vanishes"
always_answered
