# SPDX-License-Identifier: LGPL-2.1-or-later
# The running service is as confined as its unit says, and systemd thinks so too: its exposure is at most 2.5.
# usually: stock
# time: 120

vfioctl list
words=$(systemd-analyze security --no-pager --threshold=25 vfiod.service) || fail "the exposure is at most 2.5: $words"
note "${words##*$'\n'}"
words=$(systemd-analyze security --no-pager --offline=true --threshold=25 /usr/lib/systemd/system/vfiod.service) ||
        fail "the exposure of the unit as it is installed is at most 2.5: $words"

status=/proc/$(pid_of_vfiod)/status
of_status() { sed -n "s/^$1:[[:space:]]*//p" "$status"; }
mask=0
for capability in $(systemctl show --value --property=CapabilityBoundingSet vfiod.service); do
        case $capability in
        cap_dac_read_search) bit=2 ;;
        cap_kill) bit=5 ;;
        cap_sys_ptrace) bit=19 ;;
        cap_sys_resource) bit=24 ;;
        *) fail "the number of $capability is known here" ;;
        esac
        mask=$((mask | 1 << bit))
done
for set in CapBnd CapEff CapPrm; do
        is "0x$(of_status $set)" "$(printf '0x%016x' $mask)" "$set"
done
is "$(of_status NoNewPrivs) $(of_status Seccomp)" "1 2" "no new privileges, and a filter of system calls"

# Inside its view of the files, as root but with no capability that would help.
inside() { nsenter --target="$(pid_of_vfiod)" --mount -- setpriv --bounding-set=-all --inh-caps=-all "$@"; }
grep -E ' /(run|sys)?[^ ]* ' "/proc/$(pid_of_vfiod)/mountinfo" | cut -d' ' -f5-10
for path in /etc /usr /run /var/lib; do
        refused "Read-only file system" inside touch "$path/unit-exposure"
done
# Nobody can make a file there.
for path in /proc/sys/kernel/sysrq /sys/kernel/rcu_expedited /sys/module/vfio/uevent; do
        refused "Read-only file system" inside touch "$path"
done
for path in /sys/bus/pci/drivers_probe /sys/bus/pci/devices/0000:01:00.0/driver_override; do
        expect "$path can be written" inside test -w "$path"
done
