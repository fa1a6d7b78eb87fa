# SPDX-License-Identifier: LGPL-2.1-or-later
"""What should be so: where each group of devices was, is and may be, who has which, and what is assigned."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import machine
from machine import Facts, NotSo
from people import Holder

BOUND, ORIGINAL = "bound", "original"


@dataclass
class Unit:
    """The devices of a group that are not bridges. Called after the first of them, since group numbers change with hotplug."""

    name: str
    devices: list[str]
    originals: dict[str, Facts]
    plug: tuple[str, ...] = ()  # how QEMU is told to plug it in; () for what stays
    place: str = ORIGINAL
    assigned: bool = False

    @property
    def is_present(self) -> bool:
        return machine.is_present(self.devices[0])

    def group(self) -> int:
        return machine.group_of(self.devices[0])

    def now(self) -> str:
        """bound, original, or in words what is neither."""
        found = {device: machine.facts_of(device) for device in self.devices}
        if all(facts.vfio for facts in found.values()):
            return BOUND
        if all(self._is_original(device, facts) for device, facts in found.items()):
            return ORIGINAL
        return ", ".join(f"{device} is on {facts.driver or 'no driver'} with override '{facts.override}'"
                         for device, facts in found.items())

    def _is_original(self, device: str, facts: Facts) -> bool:
        original = self.originals[device]
        if facts == original:
            return True
        # vfiod-assigned sets it when a device comes, whichever: of all that are assigned and on no driver.
        return self.assigned and facts == original._replace(override="vfio-pci") and original.driver == ""


@dataclass
class World:
    """The units, and the holders."""

    units: dict[str, Unit]
    holders: list[Holder] = field(default_factory=list)

    @property
    def devices(self) -> list[str]:
        return [device for unit in self.units.values() for device in unit.devices]

    def unit_of(self, device: str) -> Unit:
        return next(unit for unit in self.units.values() if device in unit.devices)

    def units_of(self, devices: tuple[str, ...]) -> set[str]:
        return {self.unit_of(device).name for device in devices}

    def settle_place(self, name: str, permitted: set[str]) -> None:
        """The unit is in one of these places, and that is where it is from now on. A device that has just come moves yet."""
        unit = self.units[name]
        deadline = time.monotonic() + (10 if unit.plug else 0)
        while unit.is_present:
            now = unit.now()
            if now in permitted:
                unit.place = now
                return
            if time.monotonic() > deadline:
                raise NotSo(f"{' '.join(unit.devices)} should be {' or '.join(sorted(permitted))}, but: {now}")
            time.sleep(0.2)
        unit.place = ORIGINAL
