# SPDX-License-Identifier: LGPL-2.1-or-later
# vfiod is restarted a hundred times while 20 clients lease, map and give back: none of them fails, they only wait.
# machine: soak
# usually: lab
# slow
# time: 3600
# kills-vfiod

RESTARTS=${RESTARTS:-100}
load_begins
for ((n = 1; n <= RESTARTS; n++)); do
        systemctl reset-failed vfiod.service
        systemctl restart vfiod.service
        load_goes_on
done
sleep 5
load_ends
