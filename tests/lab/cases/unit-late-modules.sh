# SPDX-License-Identifier: LGPL-2.1-or-later
# On a machine that has not loaded any module of VFIO, the first Acquire works: the service brings what its DeviceAllow= names, and
# the daemon has the rest loaded. A module that does not load is named.
# boot: own
# time: 120

N=0000:01:00.0 S=0000:02:00.0
loaded() { grep -E '^(vfio|iommufd)' /proc/modules || true; }
is "$(loaded)" "" "no module of VFIO is loaded"
is "$(systemctl show --value --property=ActiveState vfiod.service)" inactive "vfiod does not run yet"

mkdir -p /run/modprobe.d
echo "blacklist vfio_pci" >/run/modprobe.d/lab.conf
refused "load module vfio_pci" vfioctl bind $N
is "$(driver_of $N) $(override_of $N)" "e1000e none" "nothing is left half done"
rm -r /run/modprobe.d

allow alice acquire bind
words=$(as alice vfioctl exec --bind --mode=group $N -- "$VFIO_USER" --container '{container}' --group '{group}' \
        --device "$N={device:$N}" identify map 2)
contains "$words" "$N: config space says 8086:"
contains "$words" "mapped for DMA"
if [ -e /dev/iommu ]; then
        words=$(as alice vfioctl exec --bind --mode=iommufd $S -- "$VFIO_USER" --iommufd '{iommufd}' --ioas given \
                --cdev "$S={cdev:$S}" identify map 2)
        contains "$words" "$S: config space says 1b36:"
        vfioctl unbind $S
fi
contains "$(loaded)" vfio_pci
lacks "$(systemctl show --value --property=CapabilityBoundingSet vfiod.service)" cap_sys_module
vfioctl unbind $N
