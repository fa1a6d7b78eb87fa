# SPDX-License-Identifier: LGPL-2.1-or-later
# driverctl on members of a group that vfiod has bound: what it sets and unsets is said once, with both drivers, and stays.
# machine: driverctl
# time: 240

A=0000:03:01.0 B=0000:03:02.0

vfioctl bind $A
forget_rebounds
driverctl --nosave set-override $B e1000
wait_until 10 said_of $B "$B was moved from vfio-pci to e1000 by somebody else than vfiod; it stays there"
said_times $B 1
contains "$(vfioctl list $A)" "(rebound)"
vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(driver_of $B) $(override_of $B)" "e1000 e1000"
driverctl --nosave unset-override $B
is "$(driver_of $B) $(override_of $B)" "e1000 none"

vfioctl bind $A
forget_rebounds
driverctl --nosave unset-override $B
wait_until 10 said_of $B "$B was moved from vfio-pci to e1000"
said_times $B 1
vfioctl bind $A
is "$(driver_of $B) $(override_of $B)" "vfio-pci vfio-pci" "it can be bound again"
vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(driver_of $B) $(override_of $B)" "e1000 none"

# Under a lease driverctl waits for the holder, and is not fought afterwards.
vfioctl bind $A
background holder vfioctl exec --mode=group "group/$(group_of $A)" -- "$VFIO_USER" --container '{container}' --device "$A={device:$A}" \
        --device "$B={device:$B}" identify hold
wait_until 20 said holder holding
forget_rebounds
background driverctl driverctl --nosave set-override $B e1000
wait_until 20 said_of $B "goes on without it"
contains "$(vfioctl list $A)" "(rebound)"
expect "the holder goes on" alive holder
finish holder
wait_until 20 gone driverctl
wait_until 20 no_leases
wait_until 20 vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(override_of $B)" e1000 "what driverctl has set stays"
driverctl --nosave unset-override $B
is "$(driver_of $B) $(override_of $B)" "e1000 none"
