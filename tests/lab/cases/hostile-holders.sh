# SPDX-License-Identifier: LGPL-2.1-or-later
# Beside a client that has a crowd hold its device and asks over and over who holds it, which is a search of every process there is,
# everybody else is served.
# machine: parallel
# usually: lab
# slow
# time: 1200

hostile_begin
hold crowd alice $HOSTILE_DEVICE many 200
for transport in bus socket; do
        nobody_suffers "$transport" "a flood of ListHolders" flood ListHolders 100 $HOSTILE_DEVICE
done
finish crowd >/dev/null
pkill -KILL -u alice holder
hostile_end
