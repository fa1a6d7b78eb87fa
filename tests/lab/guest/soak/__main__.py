#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The soak: users who do whatever there is to do with devices, for as long as is wanted, while vfiod is killed and restarted; after
each batch of operations everything that must be so is looked at. See HACKING.md.

    soak --seconds N --seed N --report FILE PLUG...

PLUG: how QEMU is told to plug in a device that comes and goes: ADDRESS=device_add,e1000e,...
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter, deque
from typing import Any

import doing
import invariants
import machine
from choice import Batch, Chooser, Operation
from doing import Circumstances, Doer, Done
from invariants import Explained
from machine import NotSo
from people import Holder
from world import BOUND, ORIGINAL, Unit, World

# After so many batches everything is given back, and the machine compared with what it was.
EPOCH = 12
# Of the time: after that, vfiod is left alone, so that its memory can be compared with what it was.
STORM = 0.6
# KiB: what the allocator may keep (tests/lab/guest/hostile.sh has the reason).
MEMORY_ALLOWED = 1024
WORKER_SECONDS = 2
SHOWN = 40


class Soak:
    """The run. Owns the order of things, and what is told of it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self.world = World(_find_units(arguments.plug))
        self._doer = Doer(self.world)
        self._chooser = Chooser(arguments.seed, self.world.devices)
        self.seed: int = arguments.seed
        self._batch_number = 0
        self._began = time.monotonic()
        self._last: deque[str] = deque(maxlen=SHOWN)
        self._operations: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._disturbances: Counter[str] = Counter()
        self._explained = Explained()
        self._cursor = ""
        self._flat: list[tuple[int, int]] = []  # files and KiB of vfiod, at the ends of epochs of one life

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @property
    def place(self) -> str:
        return f"batch {self._batch_number} after {self._elapsed:.0f} s"

    @property
    def is_calm(self) -> bool:
        return self._elapsed > STORM * self._arguments.seconds

    def run(self) -> None:
        try:
            while self._elapsed < self._arguments.seconds or len(self._flat) < 3:
                calm = self.is_calm
                for _ in range(EPOCH):
                    self._batch(self._chooser.next(), calm)
                self._end_epoch(calm)
        except NotSo:
            print("--- the last operations, the latest last:", *self._last, sep="\n")
            raise
        self._compare_ends()

    def _say(self, text: str) -> None:
        self._last.append(f"{self._elapsed:7.1f} s  {text}")
        print(self._last[-1], flush=True)

    def _note(self, text: str) -> None:
        self._say(text)
        with open(self._arguments.report, "a", encoding="utf-8") as report:
            report.write(text + "\n")

    # --- a batch

    def _batch(self, batch: Batch, calm: bool) -> None:
        self._batch_number = batch.number
        circumstances = Circumstances("" if calm else batch.disturbance)
        done = self._all_at_once(batch, circumstances)
        for one in done:
            self._count(one)
            doing.judge(one, self.world, circumstances)
            doing.excuse_holders(one, self.world)
        self._see_to_it(batch, done)
        if batch.extra == "plug":
            self._plug(batch)
        elif batch.extra:
            device, what = doing.move_by_hand(self.world, batch.pick)
            self._explained.moved.add(device)
            self._say(f"{batch.number}: {what}")
            self._see_to_it(batch, [])

    def _count(self, done: Done) -> None:
        self._operations[done.operation.verb] += 1
        if done.answer.error:
            self._refusals[done.answer.error.rpartition(".")[2]] += 1

    def _all_at_once(self, batch: Batch, circumstances: Circumstances) -> list[Done]:
        done: list[Done] = []
        wrong: list[NotSo] = []

        def do_one(operation: Operation) -> None:
            time.sleep(operation.delay)
            try:
                result = self._doer.do(operation)
                done.append(result)
                self._say(f"{batch.number}: {result}")
            except NotSo as error:
                wrong.append(NotSo(f"{operation}: {error}"))

        threads = [threading.Thread(target=do_one, args=[operation]) for operation in batch.operations]
        for thread in threads:
            thread.start()
        if circumstances.disturbance:
            time.sleep(batch.disturbance_delay)
            died = _disturb(circumstances.disturbance)
            self._say(f"{batch.number}: {circumstances.disturbance}: {' and '.join(died) or 'there was none'}")
            self._disturbances.update(died)
            self._explained.vfiod_died |= circumstances.vfiod_dies
            self._explained.worker_died |= circumstances.worker_dies
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]
        return done

    def _see_to_it(self, batch: Batch, done: list[Done]) -> None:
        """Nobody asks for anything now: what is so must be right."""
        seen = invariants.settle(self.world)
        self._part_with_holders(seen.leases)
        invariants.check(self.world, seen)
        invariants.check_places(self.world, {name: _places_of(unit, done) for name, unit in self.world.units.items()})
        if batch.number % 3 == 0:
            for holder in self.world.holders:
                holder.tell("check")

    def _part_with_holders(self, leases: dict[int, dict[str, Any]]) -> None:
        for holder in list(self.world.holders):
            if not holder.is_alive():
                if not holder.excuse:
                    raise NotSo(f"{holder} has lost it: status {holder.process.returncode}: {holder.last_words()}")
                holder.close()
                self.world.holders.remove(holder)
                continue
            if holder.uncertain:
                groups = leases[holder.lease]["Groups"]
                holder.units = {unit.name for unit in self.world.units.values() if unit.group() in groups}
            holder.excuse, holder.uncertain, holder.claims = "", False, set(holder.units)

    def _plug(self, batch: Batch) -> None:
        self._explained.plugged = True
        self._say(f"{batch.number}: " + doing.plug_or_unplug(self.world, batch.pick))
        for unit in self.world.units.values():
            if unit.plug and unit.is_present and not self._is_held(unit):
                self.world.settle_place(unit.name, {ORIGINAL, BOUND} if unit.assigned else {unit.place})
        self._see_to_it(batch, [])

    def _is_held(self, unit: Unit) -> bool:
        return any(unit.name in holder.units and holder.is_alive() for holder in self.world.holders)

    # --- an epoch

    def _end_epoch(self, calm: bool) -> None:
        """Everything is given back, by whatever way; then the machine is as it was."""
        for number, holder in enumerate(self.world.holders):
            holder.excuse = "the epoch ends"
            (holder.forget, holder.kill, lambda h=holder: h.tell("release"))[number % 3]()
            holder.reap(20)
        invariants.settle(self.world)
        self._part_with_holders({})
        present = [unit for unit in self.world.units.values() if unit.is_present]
        machine.run("vfioctl", "unassign", *[unit.name for unit in self.world.units.values() if unit.assigned or unit.is_present])
        for unit in self.world.units.values():
            unit.assigned = False
        machine.run("vfioctl", "unbind", *[unit.name for unit in present])
        seen = invariants.settle(self.world)
        invariants.check(self.world, seen)
        for unit in present:
            self.world.settle_place(unit.name, {ORIGINAL})
        if machine.state_file()["originals"]:
            raise NotSo(f"everything is given back, and there are records of drivers: {machine.state_file()['originals']}")
        self._check_journal()
        self._measure(seen.service.pid, calm)

    def _check_journal(self) -> None:
        records = machine.journal(self._cursor)
        invariants.check_journal(records, self._explained)
        self._cursor = records[-1]["__CURSOR"] if records else self._cursor
        self._explained = Explained()

    def _measure(self, pid: int, calm: bool) -> None:
        files, memory = machine.count_files(pid), machine.memory(pid)
        self._say(f"end of an epoch: vfiod has {files} files and {memory} KiB; {sum(self._operations.values())} operations so far")
        if calm:
            self._flat.append((files, memory))

    def _compare_ends(self) -> None:
        # The first epoch of the life is for what is allocated once.
        (files, memory), (files_now, memory_now) = self._flat[0], self._flat[-1]
        self._note(f"{sum(self._operations.values())} operations: " + _table(self._operations))
        self._note("answered with an error: " + _table(self._refusals))
        self._note("meanwhile: " + _table(self._disturbances))
        self._note(f"vfiod in its last life: {files} files and {memory} KiB after the first of {len(self._flat)} epochs, "
                   f"{files_now} files and {memory_now} KiB after the last")
        if files_now != files:
            raise NotSo(f"vfiod has {files_now} files now, and had {files}")
        if memory_now > memory + MEMORY_ALLOWED:
            raise NotSo(f"vfiod takes {memory_now} KiB now, and took {memory}")
        if machine.stored_names():
            raise NotSo(f"systemd keeps {machine.stored_names()}")


def _table(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common()) or "nothing"


def _places_of(unit: Unit, done: list[Done]) -> set[str]:
    """Where what was done may have left it, in whatever order that was."""
    effects = {one.effect[unit.name] for one in done if unit.name in one.effect}
    if "unknown" in effects:
        return {BOUND, ORIGINAL}
    return effects or {unit.place}


def _disturb(how: str) -> list[str]:
    """What came of it. A worker is waited for: there is one only while something is done."""
    if how == "restart":
        machine.run("systemctl", "restart", "vfiod.service", seconds=90)
        return ["vfiod restarted"]
    vfiod = machine.service().pid
    victims = [(vfiod, "vfiod killed")] if vfiod and how != "kill worker" else []
    if how != "kill vfiod":
        deadline = time.monotonic() + WORKER_SECONDS
        while not (workers := machine.workers(vfiod)) and time.monotonic() < deadline:
            pass
        victims = [(pid, "worker killed") for pid in workers[:1]] + victims
    for pid, _ in victims:
        machine.kill(pid)
    return [what for _, what in victims]


def _find_units(plugs: list[str]) -> dict[str, Unit]:
    """A unit for each group of what can be given away: no bridges, no chipset, nothing that has virtual functions."""
    how = dict(word.split("=", 1) for word in plugs)
    units: dict[str, Unit] = {}
    by_group: dict[int, list[str]] = {}
    for path in sorted(machine.PCI.iterdir()):
        if (path / "class").read_text()[:4] != "0x06" and not (path / "virtfn0").exists():
            by_group.setdefault(machine.group_of(path.name), []).append(path.name)
    for devices in by_group.values():
        originals = {device: machine.facts_of(device) for device in devices}
        if devices[0].startswith("0000:00:1f"):
            continue
        plug = tuple(how[devices[0]].split(",", 1)) if devices[0] in how else ()
        units[devices[0]] = Unit(devices[0], devices, originals, plug)
    return units


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--report", required=True)
    parser.add_argument("plug", nargs="*")
    soak = Soak(parser.parse_args())
    print(f"{len(soak.world.devices)} devices in {len(soak.world.units)} groups: {' '.join(soak.world.devices)}", flush=True)
    try:
        soak.run()
    except NotSo as error:
        print(f"NOT SO (seed {soak.seed}, {soak.place}): {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
