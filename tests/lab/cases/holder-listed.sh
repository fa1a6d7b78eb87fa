# SPDX-License-Identifier: LGPL-2.1-or-later
# Holders are listed exactly: who has which kind of file of which group, under which lease, and in which unit; nobody else is.
# usually: stock

N=0000:01:00.0 S=0000:02:00.0 T=0000:00:10.0
lease=/org/vfiod1/lease
allow alice acquire bind
allow bob acquire bind
hold one alice $N deaf
hold two bob $S deaf
systemd-run --quiet --collect --unit=vfiod-lab-vm vfioctl exec --mode="$MODE" --bind $T -- sleep 1000
sleeping() { pid=$(systemctl show --value --property=MainPID vfiod-lab-vm.service) && [[ $(</proc/$pid/comm) == sleep ]]; }
wait_until 20 sleeping

is "$(holders_of $N)" "$(pid_of one) $(id -u alice) holder - $lease/1 $ALL_FILES"
is "$(holders_of "group/$(group_of $N)")" "$(holders_of $N)"
is "$(holders_of $S)" "$(pid_of two) $(id -u bob) holder - $lease/2 $ALL_FILES"
is "$(holders_of $T)" "$pid 0 sleep vfiod-lab-vm.service $lease/3 $ALL_FILES"
is "$(ref_count $N) $(ref_count $S) $(ref_count $T)" "1 1 1"
words=$(vfioctl holders $N)
contains "$words" "$(pid_of one)"
contains "$words" alice
lacks "$words" "$(pid_of two)"
contains "$(vfioctl --json holders $T)" vfiod-lab-vm.service
systemctl stop vfiod-lab-vm.service
finish one
finish two
wait_until 10 no_leases

is "$(holders_of $N)" "" "who has ended holds nothing"
is "$(ref_count $N)" 0
vfioctl holders $N
hold_outside outsider $N
is "$(holders_of $N)" "$(pid_of outsider) 0 sleep - / $(outside_file)" "a plain process without a lease"
is "$(ref_count $N)" 1
finish outsider
takes_back --wait=20 $N
takes_back --wait=20 $S
takes_back --wait=20 $T
after_taking_back $N $S $T
