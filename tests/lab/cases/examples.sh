# SPDX-License-Identifier: LGPL-2.1-or-later
# The examples of acquiring over D-Bus from other languages, run by a user without privilege: in Python, with the files kept until
# Enter or until they are asked back, and with busctl, whose lease ends with it. In iommufd mode where the kernel has that.
# machine: vm-host
# usually: lab
# time: 400

N=0000:01:00.0
EXAMPLES=/usr/share/doc/vfiod/examples
AUTO=group DEVICE=device
if [ -e /dev/iommu ]; then
        AUTO=iommufd DEVICE=cdev
fi
allow alice acquire bind unbind
mkfifo "$WORK/keys"
exec 8<>"$WORK/keys"

# python ARGUMENTS...: the example holds its files when this returns.
python() {
        background python as alice sh -c 'exec "$0" "$@" <&8' $EXAMPLES/acquire.py "$@"
        wait_until 120 said python "$N: "
        LEASE=$(grep -o '/org/vfiod1/lease/[0-9]*' "$WORK/python.out")
}

# python_ended WORDS: it said so, ended well, and the device is free.
python_ended() {
        wait "$(pid_of python)"
        expect "it says why" said python "$1"
        wait_until 20 no_leases
}

mode() {
        busctl --json=short get-property org.vfiod1 "$LEASE" org.vfiod1.Lease Mode
}

refused org.vfiod1.Error.NotViable as alice $EXAMPLES/acquire.py $N
vfioctl bind $N

python $N
contains "$(mode)" "\"$AUTO\""
expect "it names the device's file" said python "$DEVICE $N: "
echo >&8
python_ended "given back"

python $N group
contains "$(mode)" '"group"'
vfioctl unbind --wait=30 $N
python_ended "asked back: "
is "$(driver_of $N)" e1000e

vfioctl bind $N
python $N
vfioctl release "${LEASE##*/}"
python_ended "the lease is over"
vfioctl unbind $N

shell=$(as alice $EXAMPLES/acquire.sh $N)
printf '%s\n' "$shell"
contains "$shell" "/org/vfiod1/lease/4 is over already."
contains "$shell" $'s "held"\ns "'$AUTO$'"\n'
wait_until 20 no_leases
is "$(driver_of $N)" e1000e
