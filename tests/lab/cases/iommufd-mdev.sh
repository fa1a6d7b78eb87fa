# SPDX-License-Identifier: LGPL-2.1-or-later
# A mediated device, behind which no IOMMU stands, is leased in both modes and in every preparation, held, listed and given back.
# kernels: lab
# usually: lab
# time: 120

U=83b8f4f2-509f-382f-3c1e-e6bfe0fa1002
modprobe mtty
echo $U >/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/create
known() { vfioctl show $U >/dev/null; }
wait_until 10 known
keep_pinging
allow alice acquire
held_as() { # KINDS
        wait_until 20 said owner holding
        contains "$(cat "$WORK/owner.out")" "$U: config space says 4348:3253"
        contains "$(holders_of $U)" "$(pid_of owner) $(id -u alice) vfio-user - /org/vfiod1/lease/"
        contains "$(holders_of $U)" " $1"
        refused org.vfiod1.Error.Leased vfioctl exec --mode=group $U -- true
        refused org.vfiod1.Error.Leased vfioctl exec --mode=iommufd $U -- true
        finish owner
        wait_until 20 no_leases
        wait_until 15 vfiod_has_no_file
}

background owner as alice vfioctl exec --mode=group $U -- "$VFIO_USER" --container '{container}' --group '{group}' \
        --device "$U={device:$U}" group-status identify map 1 hold
held_as container,device,group,lease
background owner as alice vfioctl exec --mode=iommufd --prepare=open $U -- "$VFIO_USER" --iommufd '{iommufd}' \
        --cdev "$U={cdev:$U}" identify map 1 hold
held_as cdev,iommufd,lease
background owner as alice vfioctl exec --mode=iommufd --prepare=bind $U -- "$VFIO_USER" --iommufd '{iommufd}' --ioas 0 \
        --cdev "$U={cdev:$U}" identify hold
held_as cdev,iommufd,lease
background owner as alice vfioctl exec --mode=iommufd --prepare=attach $U -- "$VFIO_USER" --iommufd '{iommufd}' \
        --ioas given --cdev "$U={cdev:$U}" identify map 1 hold
held_as cdev,iommufd,lease

refused org.vfiod1.Error.NoVfioDriver vfioctl unbind $U
echo 1 >/sys/bus/mdev/devices/$U/remove
unknown() { ! known 2>/dev/null; }
wait_until 10 unknown
rmmod mtty
always_answered
