# SPDX-License-Identifier: LGPL-2.1-or-later
# A leased member is unbound by sysfs: the kernel waits for its holder. Meanwhile that is shown and said once, the holder is asked,
# everybody is answered; when it lets go the member stays where it was put.
# time: 240

A=0000:03:01.0 B=0000:03:02.0

vfioctl bind $A
background holder vfioctl exec --mode=group "group/$(group_of $A)" -- "$VFIO_USER" --container '{container}' --device "$A={device:$A}" \
        --device "$B={device:$B}" identify hold
wait_until 20 said holder holding
forget_rebounds
background unbind bash -c "echo $B >/sys/bus/pci/drivers/vfio-pci/unbind"
wait_until 20 said_of $B "$B was taken from vfio-pci by somebody else than vfiod"
contains "$(rebounds $B)" "goes on without it"
contains "$(timeout 30 vfioctl list $A)" "(rebound)"
contains "$(timeout 30 vfioctl leases)" held
lacks "$(busctl --json=short get-property org.vfiod1 /org/vfiod1/lease/1 org.vfiod1.Lease Devices)" "$B"
said_times $B 1
expect "the unbinding waits" alive unbind
expect "the holder goes on" alive holder
finish holder
wait_until 20 gone unbind
wait_until 20 no_leases
wait_until 20 vfioctl unbind $A
is "$(driver_of $A) $(override_of $A)" "e1000 none"
is "$(driver_of $B) $(override_of $B)" "none none"
said_times $B 1
echo $B >/sys/bus/pci/drivers_probe
