# SPDX-License-Identifier: LGPL-2.1-or-later
# Somebody without a lease has a group or a cdev of it: it is given away in neither mode, and the sentence says how to find them. A
# leased one is not given in the other mode either.
# kernels: lab
# usually: lab
# time: 120

N=0000:01:00.0 A=0000:03:01.0 B=0000:03:02.0
vfioctl bind $N $A

# given_to_nobody DEVICE GROUP
given_to_nobody() {
        for mode in group iommufd auto; do
                refused org.vfiod1.Error.HeldOutside vfioctl exec --mode=$mode "$1" -- true
                refused "vfioctl holders group/$2" vfioctl exec --mode=$mode "$1" -- true
        done
}

hold_bound_outside bound $B
given_to_nobody $A "$(group_of $A)"
given_to_nobody $B "$(group_of $A)"
contains "$(vfioctl holders $B)" "$(pid_of bound)"
finish bound

hold_outside grouped $N
given_to_nobody $N "$(group_of $N)"
finish grouped

# An unbound cdev keeps nobody from using the device, but the device from being unbound, and while there is a lease from being taken.
in_mode iommufd
hold_outside unbound $N
hold owner root $N polite
does_not_take_back --wait=5 StillHeld $N
expect "the owner gave it back" said owner "gave everything back"
contains "$WORDS" "pid $(pid_of unbound) (sleep, uid 0): cdev $N"
is "$(driver_of $N)" vfio-pci
finish owner
expect "nobody touched it" alive unbound
finish unbound
wait_until 20 no_leases

in_mode group
hold owner root $N deaf
refused org.vfiod1.Error.Leased vfioctl exec --mode=iommufd $N -- true
refused "is leased to uid 0" vfioctl exec --mode=iommufd $N -- true
finish owner
wait_until 20 no_leases
in_mode iommufd
hold owner root $N deaf
refused org.vfiod1.Error.Leased vfioctl exec --mode=group $N -- true
finish owner
wait_until 20 no_leases
takes_back --wait=20 $N
takes_back --wait=20 $A
after_taking_back $N $A $B
