# SPDX-License-Identifier: LGPL-2.1-or-later
# A device is added to a lease and plugged into the running VM, unplugged again and removed from the lease: it is back on the
# host's driver while the VM runs on.
# machine: vm-host
# kernels: lab
# time: 240

N=0000:01:00.0 S=0000:02:00.0
vfioctl bind $N $S
allow alice acquire raise-memlock
vm one alice $N
LEASE=$(vfioctl --json leases | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["Id"])')

as alice "$LAB/vm-plug" "$WORK/one.vm/qmp" "$LEASE" $S '{"driver": "vfio-pci", "id": "hot", "bus": "rp1", "iommufd": "iommufd0", "fd": "vfiod"}'
is "$(vm_devices one)" "hot vfio-0000-01-00.0" "the disk is in the VM"
is "$(holders_of $S | awk '{ print $2, $6 }')" "$(id -u alice) cdev,iommufd,lease,mapping"
refused InUse as alice vfioctl remove "$LEASE" $S
is "$(vm_devices one)" "hot vfio-0000-01-00.0" "that has changed nothing"

# Without a guest system the port's slot is off, and what is in it can be pulled at once.
qmp one --event DEVICE_DELETED device_del '{"id": "hot"}'
is "$(vm_devices one)" vfio-0000-01-00.0
wait_until 20 as alice vfioctl remove "$LEASE" $S
vfioctl unbind $S
is "$(driver_of $S)" nvme "the disk is back on the host"
is "$(vm_has one 8086:10d3)" 1 "and the VM runs on with the NIC"
expect "the VM runs" alive one
finish one
wait_until 20 no_leases
after_taking_back_from_vms $N
