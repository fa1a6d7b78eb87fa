# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that asks for its files and never reads the answers, everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
background holder as alice vfioctl acquire $HOSTILE_DEVICE
wait_until 60 said holder lease/
lease=$(grep -o '/org/vfiod1/lease/[0-9]*' "$WORK/holder.out")
for transport in bus socket; do
        nobody_suffers "$transport" "files asked for and never read" unread "$lease" 1000
done
finish holder
hostile_end
