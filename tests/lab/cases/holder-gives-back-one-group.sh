# SPDX-License-Identifier: LGPL-2.1-or-later
# Who has two groups, of one lease or of two, and is asked for one of them, closes the devices of that, and lives on with the other.
# time: 240
# usually: stock

A=0000:03:01.0 B=0000:03:02.0 N=0000:01:00.0
configure '{"revoke": {"sigbus_grace_ms": 1000, "sigkill_grace_ms": 2000}}'
cat >"$WORK/polite.py" <<'END'
import os
import select
import sys
import time

lease, asked, kept = int(sys.argv[1]), [int(fd) for fd in sys.argv[2].split(",")], int(sys.argv[3])
print("holding", flush=True)
select.select([lease], [], [])
os.read(lease, 1)
for fd in asked:
    os.close(fd)
os.fstat(kept)
print("gave back what was asked", flush=True)
time.sleep(1000)
END

hold_in_one_lease() {
        background owner vfioctl exec --bind --mode=group $A $B $N -- \
                python3 "$WORK/polite.py" '{lease}' "{device:$A},{device:$B}" "{device:$N}"
}

# The second command is in a file, where the first vfioctl does not see its placeholders.
hold_in_two_leases() {
        cat >"$WORK/second" <<END
exec vfioctl exec --bind --mode=group $N -- python3 "$WORK/polite.py" "\$1" "\$2" "{device:$N}"
END
        background owner vfioctl exec --bind --mode=group $A $B -- \
                bash "$WORK/second" '{lease}' "{device:$A},{device:$B}"
}

# devices_held TARGET: the names of the devices that its holders have, as ListHolders says; "-" for one that it does not name.
devices_held() {
        busctl --json=short call org.vfiod1 /org/vfiod1 org.vfiod1.Manager ListHolders as 1 "$1" | python3 -c '
import json, sys
files = [file for holder in json.load(sys.stdin)["data"][0] for file in holder["Files"]["data"]]
print(*sorted(file[1] or "-" for file in files if file[0] == "device"))'
}

first=group/$(group_of $A) second=group/$(group_of $N)
for leases in one_lease two_leases; do
        for option in --wait=40 --revoke=20; do
                "hold_in_$leases"
                wait_until 30 said owner holding
                is "$(devices_held "$first")" "$A $B" "of the first group, in $leases"
                is "$(devices_held "$second")" "$N" "of the second group, in $leases"

                takes_back $option "$first"
                took_less_than 15000
                expect "it was asked" said owner "gave back what was asked"
                expect "it lives" alive owner
                is "$(driver_of $A) $(driver_of $B) $(driver_of $N)" "e1000 e1000 vfio-pci"
                is "$(devices_held "$second")" "$N" "it has the second group as before"
                finish owner
                wait_until 15 no_leases
                vfioctl unbind "$second"
                after_taking_back $A $B $N
        done
done
