# SPDX-License-Identifier: LGPL-2.1-or-later
# Two groups in one container: one DMA mapping serves devices of both; a device given by name brings no fd of its neighbour.

N=0000:01:00.0 S=0000:02:00.0 A=0000:03:01.0
words=$(vfioctl exec --bind $N $S $A -- sh -c "
        $VFIO_USER --container {container} --device $N={device:$N} --device $S={device:$S} identify map 1 unmap
        echo \"\$VFIOD_FDS\"")
contains "$words" "$N: config space says 8086:10d3"
contains "$words" "$S: config space says"
contains "$words" "device:$A="
lacks "$words" "device:0000:03:02.0=" "a neighbour that was not asked for is not handed over"
contains "$words" "group:$(group_of $N)="
contains "$words" "group:$(group_of $S)="

is "$(driver_of 0000:03:02.0)" vfio-pci "but it is bound, like its whole group"
vfioctl unbind $N $S $A
is "$(driver_of $N) $(driver_of $S) $(driver_of $A)" "e1000e nvme e1000"
