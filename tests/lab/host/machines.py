# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated machines: which PCI devices each has, where, and so which IOMMU groups come out.

Owns the topologies. How a machine is started and spoken with is in qemu.py.

`default`, with addresses that cases may rely on:

    00:01.0 root port   -> 01:00.0 e1000e                        each a group of its own
    00:02.0 root port   -> 02:00.0 nvme                          each a group of its own
    00:03.0 PCI bridge  -> 03:01.0, 03:02.0 e1000                one group, with the bridge
    00:04.0 root port   -> empty, bus=hp1 for device_add         the slot for hotplug
    00:10.0 pci-testdev, 00:10.1 edu                             one group: functions without ACS
    00:1f.x chipset                                              one group that is never to be given away

`assigned` and `assigned-broken` are the same, and boot with assignments: of 01:00.0 and 03:01.0, and with a file that is cut off.
`bookworm` is the same as `default` with Debian 12, and so with systemd 252 and polkit 122.
`initramfs-tools` and `initramfs-dracut` are `assigned` with its root on a disk, to which an initramfs of that make switches.
`no-iommu` is the same without an IOMMU, and so without groups. `vm-host` is the same as `default` and has QEMU, for VMs that are given devices. `debian` is the same and has dpkg and the Debian packages.
`debian-load` is that with 07:00.0 of `soak`. `driverctl` is the same and has driverctl. `lasting` is the same and has a disk that outlasts it (disk.py), for cases of several boots.
`soak` is the same with

    00:05.0 root port   -> empty, bus=hp2
    00:06.0 root port   -> 06:00.0 e1000e
    00:07.0 root port   -> 07:00.0 nvme, which can have virtual functions
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """A topology, as QEMU options."""

    name: str
    devices: list[str]
    memory_mib: int = 1536
    archives: tuple[str, ...] = ()  # more for its root, by name (tests/setup)
    has_kernel: bool = False  # its own, as /boot/vmlinuz
    has_iommu: bool = True
    has_disk: bool = False  # that outlasts it
    is_parallel: bool = False  # its processors really run at once (qemu.py)
    release: str = ""  # of Debian, for another than the 13th
    initramfs: str = ""  # by which its root on a disk is booted: the tool that has made it (tests/setup/initramfs.sh)
    files: tuple[tuple[str, str], ...] = ()  # more for its root: path below it, and text


def _network(name: str, bus: str, model: str, rest: str = "") -> list[str]:
    """A network device with a link: all of them hang on one hub. Without boot firmware, which would only cost time."""
    return ["-netdev", f"hubport,id={name}-net,hubid=0", "-device", f"{model},id={name},bus={bus},netdev={name}-net,romfile={rest}"]


def _default_devices(first_slot: int) -> list[str]:
    """Root ports have slot numbers from first_slot on."""
    return [
        "-device", f"pcie-root-port,id=rp1,chassis=1,slot={first_slot},addr=1",
        *_network("nic0", "rp1", "e1000e"),
        "-device", f"pcie-root-port,id=rp2,chassis=2,slot={first_slot + 1},addr=2",
        "-device", "nvme,id=nvme0,bus=rp2,serial=vfiod-lab",
        "-device", "pcie-pci-bridge,id=br1,addr=3",
        *_network("nic1", "br1", "e1000", ",addr=1"),
        *_network("nic2", "br1", "e1000", ",addr=2"),
        "-device", f"pcie-root-port,id=hp1,chassis=4,slot={first_slot + 3},addr=4",
        "-device", "pci-testdev,id=testdev0,addr=0x10.0,multifunction=on",
        "-device", "edu,id=edu0,addr=0x10.1",
    ]


def _empty_slots(count: int) -> list[str]:
    """Root ports with nothing behind them."""
    return [word for i in range(count) for word in ("-device", f"pcie-root-port,chassis={40 + i},slot={40 + i}")]


def _assignments(*devices: tuple[str, str, str, str]) -> str:
    """As vfiod writes them: address, ids, subsystem, serial number."""
    names = ("device", "id", "subsystem", "serial", "driver", "since")
    entries = [dict(zip(names, (*device, "vfio-pci", "2026-11-21T22:40:05Z"))) for device in devices]
    return json.dumps({"version": 1, "assignments": entries}, indent=2) + "\n"


ASSIGNMENTS = "etc/vfiod/assignments.json"
ASSIGNED = _assignments(("0000:01:00.0", "8086:10d3", "8086:0000", "52-54-00-ff-ff-12-34-56"),
                        ("0000:03:01.0", "8086:100e", "1af4:1100", ""))


def _functions(name: str, port: str) -> list[str]:
    """An NVMe controller that can have 127 virtual functions, behind that port."""
    return [
        "-device", f"nvme-subsys,id={name}-subsystem",
        "-device", f"nvme,bus={port},subsys={name}-subsystem,serial={name},max_ioqpairs=256,msix_qsize=256,"
                   "sriov_max_vfs=127,sriov_vq_flexible=254,sriov_vi_flexible=127",
    ]


def _load_devices() -> list[str]:
    return ["-device", "pcie-root-port,id=rp4,chassis=7,slot=7,addr=7", *_functions("sriov0", "rp4")]


def _soak_devices() -> list[str]:
    return [
        "-device", "pcie-root-port,id=hp2,chassis=5,slot=5,addr=5",
        "-device", "pcie-root-port,id=rp3,chassis=6,slot=6,addr=6",
        *_network("nic3", "rp3", "e1000e"),
        *_load_devices(),
    ]


def _many_devices() -> list[str]:
    """Four NVMe controllers with 127 virtual functions each, which the guest switches on."""
    devices = []
    for i in range(1, 5):
        devices += ["-device", f"pcie-root-port,id=sp{i},chassis={20 + i},slot={20 + i}", *_functions(f"v{i}", f"sp{i}")]
    return devices


# shpchp, built into both kernels, drives the PCIe-to-PCI bridge if it can register the bridge's slots; the bridge's group is
# then not viable. It cannot where ACPI hotplug has them already, which is QEMU's and most real machines' way, nor where a root
# port has a slot of the same number.
MACHINES = {
    machine.name: machine
    for machine in [
        Machine("default", _default_devices(first_slot=1)),
        Machine("parallel", _default_devices(first_slot=1), is_parallel=True),
        Machine("shpchp", [
            "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
            *_default_devices(first_slot=40),
        ]),
        Machine("ordinary", _default_devices(first_slot=1) + _empty_slots(7)),
        Machine("vm-host", _default_devices(first_slot=1), memory_mib=3072, archives=("vm",), has_kernel=True),
        Machine("no-iommu", _default_devices(first_slot=1), has_iommu=False),
        Machine("driverctl", _default_devices(first_slot=1), memory_mib=2048, archives=("peers",)),
        Machine("assigned", _default_devices(first_slot=1), files=((ASSIGNMENTS, ASSIGNED),)),
        Machine("assigned-broken", _default_devices(first_slot=1), files=((ASSIGNMENTS, ASSIGNED[:-5]),)),
        Machine("initramfs-tools", _default_devices(first_slot=1), files=((ASSIGNMENTS, ASSIGNED),), initramfs="initramfs-tools"),
        Machine("initramfs-dracut", _default_devices(first_slot=1), files=((ASSIGNMENTS, ASSIGNED),), initramfs="dracut"),
        Machine("bookworm", _default_devices(first_slot=1), release="bookworm"),
        Machine("debian", _default_devices(first_slot=1), archives=("dpkg", "debs")),
        Machine("debian-load", _default_devices(first_slot=1) + _load_devices(), memory_mib=4096, archives=("dpkg", "debs")),
        Machine("soak", _default_devices(first_slot=1) + _soak_devices(), memory_mib=3072),
        Machine("lasting", _default_devices(first_slot=1), has_disk=True),
        Machine("many", _default_devices(first_slot=1) + _many_devices(), memory_mib=4096),
    ]
}
