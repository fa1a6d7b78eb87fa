# SPDX-License-Identifier: LGPL-2.1-or-later
"""How each operation is done, which answers to it are documented, and what it makes of the devices."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import machine
from choice import Operation
from machine import NotSo
from people import Answer, Holder, ask
from world import BOUND, ORIGINAL, World

# Answers that org.vfiod1(5) has for the method, and that this soak may come by.
BIND = {"Leased", "Busy", "Changed"}
ACQUIRE = BIND | {"NotBound", "NotViable", "HeldOutside", "DuplicateTarget", "ResetSetIncomplete"}
DOCUMENTED = {
    "acquire": ACQUIRE,
    "add": ACQUIRE | {"LeaseEnded", "UnknownObject"},
    "remove": {"NotInLease", "InUse", "Busy", "LeaseEnded", "UnknownObject", "ResetSetIncomplete"},
    "fetch": {"Busy", "LeaseEnded", "UnknownObject"},
    "release": {"Busy", "LeaseEnded", "UnknownObject"},
    "bind": BIND | {"DuplicateTarget"},
    "unbind": BIND | {"DuplicateTarget", "HeldOutside", "StillHeld"},
    "call-off": BIND | {"DuplicateTarget", "HeldOutside", "StillHeld", "CalledOff", "interrupted"},
    "vanish": ACQUIRE | {"StillHeld", "interrupted"},
    "release-other": {"LeaseEnded", "UnknownObject", "NotFound"},
    "assign": BIND | {"DuplicateTarget"},
    "unassign": {"Busy", "Changed", "DuplicateTarget"},
    "reset": {"Leased", "Busy", "Changed", "NotBound", "NoReset", "HeldOutside", "NotOwner", "InUse", "ResetSetIncomplete", "Unsupported"},
    "look": {"Busy", "Leased", "Changed", "NotBound", "HeldOutside", "NotOwner", "InUse"},
}
# Where a device comes or goes meanwhile; where it has gone.
HOTPLUG = {"NotFound", "DeviceGone", "Failed"}
# vfiod was not there to answer.
UNANSWERED = {"NoReply", "Disconnected", "ServiceUnknown", "NameHasNoOwner", "TimedOut", "ECONNRESET", "EHOSTUNREACH", "ENOTCONN",
              "EPIPE", "ECONNREFUSED"}
# Its worker was not there to come to an end.
WORKER_DIED = {"Failed"}

WAITS = {"fail": [], "wait": ["--wait={}"], "revoke": ["--revoke={}"]}


@dataclass
class Done:
    """An operation that is over."""

    operation: Operation
    answer: Answer
    effect: dict[str, str] = field(default_factory=dict)  # unit: bound, original, or "unknown"
    asks_back: str = ""  # whom it makes give back what they have of its devices: "polite", "all"

    def __str__(self) -> str:
        return f"{self.operation}: {self.answer.error or 'ok'} {self.answer.text[:200] if self.answer.error else ''}".strip()


@dataclass
class Circumstances:
    """What happens meanwhile."""

    disturbance: str = ""
    hotplug: bool = False

    @property
    def vfiod_dies(self) -> bool:
        return self.disturbance in ("kill vfiod", "kill both", "restart")

    @property
    def worker_dies(self) -> bool:
        return self.disturbance in ("kill worker", "kill both")


def judge(done: Done, world: World, circumstances: Circumstances) -> None:
    """Whether the answer is one of those that are documented; where it does not tell what was done, both may be."""
    error = done.answer.error.rpartition(".")[2]
    if not error or error == "gone":
        return
    allowed = set(DOCUMENTED.get(done.operation.verb, set()))
    units = [world.units[name] for name in world.units_of(done.operation.devices)]
    # The next vfiod may have been asked again, and refuse because of what the one before has done.
    unknown = error == "interrupted" or circumstances.vfiod_dies
    if not done.operation.is_operator:
        allowed |= {"AccessDenied", "InteractiveAuthorizationRequired"}
    if any(unit.plug for unit in units) or circumstances.hotplug:
        allowed |= HOTPLUG
    if circumstances.vfiod_dies:
        allowed |= UNANSWERED
    if circumstances.worker_dies and error in WORKER_DIED:
        unknown = True
        allowed |= WORKER_DIED
    if error not in allowed:
        raise NotSo(f"an answer that is not documented: {done}")
    if unknown or done.operation.verb == "vanish":
        done.effect = {name: "unknown" for name in world.units_of(done.operation.devices)}


def excuse_holders(done: Done, world: World) -> None:
    """Who has been asked for what he has, in a way that he heeds, may be gone."""
    for holder in world.holders:
        if done.asks_back and holder.claims & world.units_of(done.operation.devices) and done.asks_back in ("all", holder.manners):
            holder.excuse = holder.excuse or f"user {done.operation.user} wanted it back"


class Doer:
    """Does operations, for several threads."""

    def __init__(self, world: World) -> None:
        self._world = world

    def do(self, operation: Operation) -> Done:
        verb = {"release-other": self._release_other, "call-off": self._call_off, "look": self._look}.get(
            operation.verb, getattr(self, f"_{operation.verb}", None))
        if not verb:
            raise AssertionError(operation.verb)
        method: Callable[[Operation], Done] = verb
        return method(operation)

    def _everywhere(self, operation: Operation, place: str) -> dict[str, str]:
        return {name: place for name in self._world.units_of(operation.devices)}

    def _holder_of(self, operation: Operation) -> Holder | None:
        """One of the user's own, that no other operation of this batch has to do with."""
        own = [holder for holder in self._world.holders if holder.user == operation.user]
        return own[operation.pick % len(own)] if own else None

    def _acquire(self, operation: Operation) -> Done:
        holder = Holder(operation.user, self._world.units_of(operation.devices), operation.manners)
        answer = holder.start(operation)
        if answer.error:
            holder.close()
            return Done(operation, answer)
        holder.claims = set(holder.units)
        self._world.holders.append(holder)
        return Done(operation, answer, self._everywhere(operation, BOUND))

    def _tell(self, operation: Operation, line: str) -> tuple[Holder | None, Done]:
        holder = self._holder_of(operation)
        return holder, Done(operation, holder.tell(line) if holder else Answer("", ""))

    def _note_change(self, holder: Holder, done: Done, units: set[str]) -> None:
        error = done.answer.error.rpartition(".")[2]
        holder.claims |= units
        if not error:
            holder.units = units
        elif error in UNANSWERED | WORKER_DIED:
            holder.uncertain = True

    def _add(self, operation: Operation) -> Done:
        device = operation.devices[0]
        holder, done = self._tell(operation, f"add {device}")
        if holder:
            self._note_change(holder, done, holder.units | {self._world.unit_of(device).name})
            if not done.answer.error:
                done.effect = {self._world.unit_of(device).name: BOUND}
        return done

    def _remove(self, operation: Operation) -> Done:
        holder = self._holder_of(operation)
        if not holder:
            return Done(operation, Answer("", ""))
        name = sorted(holder.units)[operation.pick % len(holder.units)]
        done = Done(operation, holder.tell(f"remove {self._world.units[name].devices[0]}"))
        self._note_change(holder, done, holder.units - {name})
        return done

    def _map(self, operation: Operation) -> Done:
        return self._tell(operation, f"map {1 + operation.pick % 8}")[1]

    def _fetch(self, operation: Operation) -> Done:
        return self._tell(operation, "fetch")[1]

    def _check(self, operation: Operation) -> Done:
        return self._tell(operation, "check")[1]

    def _release(self, operation: Operation) -> Done:
        holder = self._holder_of(operation)
        if not holder:
            return Done(operation, Answer("", ""))
        holder.excuse = "it released"
        done = Done(operation, holder.tell("release"))
        if not done.answer.error:
            holder.reap(10)
        return done

    def _exit(self, operation: Operation) -> Done:
        holder = self._holder_of(operation)
        if holder:
            holder.excuse = "it ended"
            holder.forget()
            holder.reap(10)
        return Done(operation, Answer("", ""))

    def _kill(self, operation: Operation) -> Done:
        holder = self._holder_of(operation)
        if holder:
            holder.excuse = "it was killed"
            holder.kill()
            holder.reap(10)
        return Done(operation, Answer("", ""))

    def _bind(self, operation: Operation) -> Done:
        answer = ask(operation, "bind", *operation.devices)
        return Done(operation, answer, {} if answer.error else self._everywhere(operation, BOUND))

    def _unbind(self, operation: Operation) -> Done:
        options = [word.format(f"{operation.seconds * 1000:.0f}ms") for word in WAITS[operation.policy]]
        revokes = operation.policy == "revoke"
        asks_back = "all" if revokes and operation.is_operator else "polite" if operation.policy == "wait" else ""
        answer = ask(operation, "unbind", *options, *operation.devices)
        return Done(operation, answer, {} if answer.error else self._everywhere(operation, ORIGINAL), asks_back)

    def _call_off(self, operation: Operation) -> Done:
        answer = ask(operation, "unbind", "--wait", *operation.devices, end_after=operation.seconds)
        return Done(operation, answer, {} if answer.error else self._everywhere(operation, ORIGINAL), "polite")

    def _vanish(self, operation: Operation) -> Done:
        """Whoever asks dies before he is answered, or after that."""
        words = [["bind"], ["unbind"], ["unbind", "--wait"], ["acquire", "--bind"], ["acquire"]][operation.pick % 5]
        answer = ask(operation, *words, *operation.devices, end_after=operation.seconds / 2, end=signal.SIGKILL)
        return Done(operation, answer, self._everywhere(operation, "unknown"), "polite")

    def _release_other(self, operation: Operation) -> Done:
        holders = list(self._world.holders)
        if not holders:
            return Done(operation, Answer("", ""))
        holder = holders[operation.pick % len(holders)]
        if operation.is_operator or operation.user == holder.user:
            holder.excuse = f"user {operation.user} released it"
        return Done(operation, ask(operation, "release", str(holder.lease)))

    def _assign(self, operation: Operation) -> Done:
        now = operation.pick % 3 == 0
        answer = ask(operation, "assign", *(["--now"] if now else []), *operation.devices)
        if not answer.error:
            self._set_assigned(operation, True)
        return Done(operation, answer, self._everywhere(operation, BOUND) if now and not answer.error else {})

    def _unassign(self, operation: Operation) -> Done:
        answer = ask(operation, "unassign", *operation.devices)
        if not answer.error:
            self._set_assigned(operation, False)
        return Done(operation, answer)

    def _set_assigned(self, operation: Operation, assigned: bool) -> None:
        for name in self._world.units_of(operation.devices):
            self._world.units[name].assigned = assigned

    def _reset(self, operation: Operation) -> Done:
        return Done(operation, ask(operation, "reset", operation.devices[0]))

    def _look(self, operation: Operation) -> Done:
        verbs = [["list"], ["holders"], ["show"], ["inspect"], ["bind", "--dry-run"], ["leases"]]
        words = verbs[operation.pick % len(verbs)]
        return Done(operation, ask(operation, *words, *([] if words in (["list"], ["leases"]) else operation.devices)))


# --- extras: alone, after the others


def plug_or_unplug(world: World, pick: int) -> str:
    """Takes a device out, or puts it back in. Who holds it is killed, for the kernel waits until it is let go."""
    hot = [unit for unit in world.units.values() if unit.plug]
    unit = hot[pick % len(hot)]
    if not unit.is_present:
        machine.wait_until(f"{unit.name} can be plugged in", 20, lambda: _plugged(unit.plug))
        machine.wait_until(f"{unit.name} is there", 30, lambda: unit.is_present)
        # Its own driver, and whose the device is by assignment, come with udev.
        machine.run("udevadm", "settle", "--timeout=30")
        machine.wait_until(f"{unit.name} has a driver", 30, lambda: machine.facts_of(unit.name).driver)
        return f"plugged {unit.name}"
    machine.ask_monitor("device_del", _id_of(unit.plug))
    for holder in world.holders:
        if unit.name in holder.units:
            holder.excuse = f"{unit.name} was unplugged"
            holder.kill()
            holder.reap(10)
    machine.wait_until(f"{unit.name} is gone", 60, lambda: not unit.is_present)
    return f"unplugged {unit.name}"


def _id_of(plug: tuple[str, ...]) -> str:
    return plug[1].split("id=")[1].split(",")[0]


def _plugged(plug: tuple[str, ...]) -> bool:
    machine.ask_monitor(*plug)
    return True


def move_by_hand(world: World, pick: int) -> tuple[str, str]:
    """Somebody takes a device from vfio-pci by sysfs, back again or to its own driver, and has vfiod put the group right. Returns the
    device, and what was done."""
    free = [unit for unit in world.units.values()
            if unit.place == BOUND and unit.is_present and not any(unit.name in holder.units for holder in world.holders)]
    if not free:
        return "", "nothing to move by hand"
    unit = free[pick % len(free)]
    device = unit.devices[pick // 7 % len(unit.devices)]
    driver = machine.facts_of(device).driver
    machine.write(machine.PCI / device / "driver/unbind", device)
    if pick // 14 % 2:
        machine.write(Path("/sys/bus/pci/drivers") / driver / "bind", device)
        return device, f"moved {device} away from {driver} and back by hand"
    original = unit.originals[device]
    machine.write(machine.PCI / device / "driver_override", original.override)
    if original.driver:
        machine.write(Path("/sys/bus/pci/drivers") / original.driver / "bind", device)
    machine.run("vfioctl", "list", device)
    machine.run("vfioctl", "unbind", device)
    unit.place = ORIGINAL
    return device, f"moved {device} to {original.driver or 'no driver'} by hand, and unbound the rest"
