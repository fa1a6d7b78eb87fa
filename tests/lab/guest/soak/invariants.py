# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules that must always hold (design.md, section 7), as far as they can be seen from outside while nobody asks for anything."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import machine
from machine import NotSo, Service
from world import BOUND, World

SETTLE_SECONDS = 60


Leases = dict[int, dict[str, Any]]


@dataclass
class Seen:
    """What vfiod and systemd say while nobody asks for anything."""

    service: Service = Service(False, 0, 0)
    listing: dict[str, Any] = field(default_factory=dict)
    leases: Leases = field(default_factory=dict)


def settle(world: World) -> Seen:
    """Waits until nothing is under way any more, and there is a lease for each holder and no other."""
    seen = Seen()

    def leases_have_holders() -> bool:
        seen.leases = found = machine.leases()
        held = {lease for lease, facts in found.items() if facts["State"] == "held"}
        alive = {holder.lease for holder in world.holders if holder.is_alive()}
        if held == set(found) == alive:
            return True
        states = {lease: facts["State"] for lease, facts in found.items()}
        raise NotSo(f"there are the leases {states}, and holders of {sorted(alive)}")

    machine.wait_until("each lease has a holder, and each holder a lease", SETTLE_SECONDS, leases_have_holders)
    machine.wait_until("vfiod is there, and nothing is under way", SETTLE_SECONDS, lambda: _is_quiet(seen))
    return seen


def _is_quiet(seen: Seen) -> bool:
    seen.service, seen.listing = machine.service(), machine.listing()
    if not seen.service.active:
        raise NotSo("vfiod does not run")
    if machine.state_file()["plans"]:
        raise NotSo(f"plans: {machine.state_file()['plans']}")
    busy = [device["Name"] for device in seen.listing["Devices"] if device["State"] == "busy"]
    workers = machine.workers(seen.service.pid)
    if busy or workers:
        raise NotSo(f"{busy} are busy, and there are the workers {workers}")
    return True


def check(world: World, seen: Seen) -> None:
    """Whatever has happened before."""
    _check_owners(world, seen.leases)
    _check_members(seen.leases)
    _check_state_file(seen.leases)
    _check_listing(seen.listing)
    _check_files(seen)
    _check_store(seen)


def _check_owners(world: World, leases: Leases) -> None:
    owners = Counter(group for lease in leases.values() for group in lease["Groups"])
    twice = [group for group, count in owners.items() if count > 1]
    if twice:
        raise NotSo(f"groups {twice} have two leases: {leases}")
    for holder in world.holders:
        if not holder.is_alive():
            continue
        groups = sorted(world.units[name].group() for name in holder.units)
        if leases[holder.lease]["Groups"] != groups and -1 not in groups:
            raise NotSo(f"{holder} has the groups {leases[holder.lease]['Groups']}, not {groups}")


def _check_members(leases: Leases) -> None:
    for number, lease in leases.items():
        for group in lease["Groups"]:
            for device in _members(group):
                if not machine.facts_of(device).vfio:
                    raise NotSo(f"lease {number} has group {group}, and {device} is on {machine.facts_of(device).driver or 'no driver'}")


def _members(group: int) -> list[str]:
    """But bridges, which need no driver."""
    directory = machine.Path(f"/sys/kernel/iommu_groups/{group}/devices")
    return [path.name for path in directory.iterdir() if not (path / "class").read_text().startswith("0x0604")]


def _check_state_file(leases: Leases) -> None:
    written = {lease["id"]: sorted(lease["groups"]) for lease in machine.state_file()["leases"]}
    told = {number: lease["Groups"] for number, lease in leases.items()}
    if written != told:
        raise NotSo(f"the state file has the leases {written}, the bus says {told}")


def _check_listing(found: dict[str, Any]) -> None:
    for device in found["Devices"]:
        name = device["Name"]
        if device["Bus"] != "pci":
            continue
        if device["Driver"] != machine.link_name(machine.PCI / name / "driver"):
            raise NotSo(f"vfioctl list has {name} on '{device['Driver']}', sysfs does not")
        if device["Group"] != machine.group_of(name):
            raise NotSo(f"vfioctl list has {name} in group {device['Group']}, sysfs in {machine.group_of(name)}")
        if device["State"] in ("stuck", "rebound"):
            raise NotSo(f"vfioctl list has {name} as {device['State']}: {device}")
    groups = {group["Number"] for group in found["Groups"]}
    there = {int(path.name) for path in machine.Path("/sys/kernel/iommu_groups").iterdir()}
    if groups != there:
        raise NotSo(f"vfioctl list has the groups {sorted(groups)}, sysfs {sorted(there)}")


def _check_files(seen: Seen) -> None:
    """vfiod has the files of the leases, and nobody else's; each once."""
    files, leases = machine.vfio_files(seen.service.pid), seen.leases
    in_group_mode = [lease for lease in leases.values() if lease["Mode"] == "group"]
    in_iommufd_mode = [lease for lease in leases.values() if lease["Mode"] == "iommufd"]
    expected = {
        "containers": (files["/vfio/vfio"], len(in_group_mode)),
        "iommufds": (files["/iommu"], len(in_iommufd_mode)),
        "groups": (_matching(files, r"/vfio/\d+"), sum(len(lease["Groups"]) for lease in in_group_mode)),
        "cdevs": (_matching(files, r"/vfio/devices/.*"), sum(len(lease["Devices"]) for lease in in_iommufd_mode)),
        "devices": (_matching(files, r"anon_inode:\[vfio-device\]"), sum(len(lease["Devices"]) for lease in in_group_mode)),
    }
    for what, (there, wanted) in expected.items():
        if there != wanted:
            raise NotSo(f"vfiod has {there} files of {what}, and leases of {wanted}: {dict(files)}, {leases}")


def _matching(files: Counter[str], pattern: str) -> int:
    return sum(count for name, count in files.items() if re.fullmatch(pattern, name))


def _check_store(seen: Seen) -> None:
    names = machine.stored_names() if seen.service.stored else []
    kept = {int(match[1]) for name in names if (match := re.match(r"lease-(\d+)\.", name))}
    if kept != set(seen.leases):
        raise NotSo(f"systemd keeps {names}, and there are the leases {sorted(seen.leases)}")


LOG_WARNING = 4
# A vfiod that is killed may have put files into the store of which it has written nothing down yet.
AFTER_DEATH = re.compile(r"\d+ files of leases that nothing is known of were closed")
WORKER_DIED = re.compile("the worker process died")


@dataclass
class Explained:
    """What was done since the journal was looked at, and may be heard of in it."""

    vfiod_died: bool = False
    worker_died: bool = False
    plugged: bool = False
    moved: set[str] = field(default_factory=set)


def check_journal(records: list[dict[str, Any]], explained: Explained) -> None:
    """No warning but for what was done, and nobody is said to have moved what nobody has moved."""
    for record in records:
        text = str(record["MESSAGE"])
        if record.get("VFIOD_OPERATION") in ("rebound", "override-changed"):
            if record["VFIOD_DEVICE"] not in explained.moved:
                raise NotSo(f"nobody has, and vfiod says: {text}")
        elif int(record["PRIORITY"]) <= LOG_WARNING and not _is_explained(record, text, explained):
            raise NotSo(f"nothing explains that vfiod says: {text}")


def _is_explained(record: dict[str, Any], text: str, explained: Explained) -> bool:
    if explained.vfiod_died and AFTER_DEATH.match(text):
        return True
    if record.get("VFIOD_OUTCOME") != "failed":
        return False
    return explained.plugged or explained.worker_died and bool(WORKER_DIED.search(text))


def check_places(world: World, permitted: dict[str, set[str]]) -> None:
    """Where somebody has asked for it, or nobody: permitted; what is leased is on its vfio driver."""
    for name in world.units:
        leased = any(name in holder.units for holder in world.holders)
        world.settle_place(name, {BOUND} if leased else permitted[name])
