# SPDX-License-Identifier: LGPL-2.1-or-later
# The packages are upgraded to a higher version and back while 20 clients lease, map and give back: none of them fails, they only wait.
# machine: debian-load
# usually: stock
# slow
# time: 1200

every_client_goes_round() {
        local i
        load_goes_on
        for ((i = 0; i < CLIENTS; i++)); do
                [ "$(load_rounds $i)" -gt "${ROUNDS[$i]}" ] || return 1
        done
}

# Until each of them has leased and given back once more.
all_go_round() {
        local i
        for ((i = 0; i < CLIENTS; i++)); do
                ROUNDS[i]=$(load_rounds $i)
        done
        wait_until 120 every_client_goes_round
}

without_packages
installs "$DEBS"
version=$(dpkg-query -W -f '${Version}' vfiod)
load_begins
all_go_round
for directory in "$DEBS/next" "$DEBS"; do
        pid=$(main_pid)
        installs "$directory"
        refused "" [ "$(main_pid)" = "$pid" ]
        note "vfiod is $(dpkg-query -W -f '${Version}' vfiod) now"
        all_go_round
done
is "$(dpkg-query -W -f '${Version}' vfiod)" "$version"
load_ends
without_packages
