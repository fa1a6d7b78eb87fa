# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done next, by the seed alone: nothing here depends on what came of what was done before."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

USERS = 10
# The last users may do what is asked of administrators, too.
OPERATORS = 3

VERBS = {
    "acquire": 30, "add": 6, "remove": 5, "map": 5, "fetch": 3, "check": 4, "release": 7, "exit": 4, "kill": 5,
    "bind": 8, "unbind": 12, "release-other": 4, "assign": 4, "unassign": 4, "reset": 3, "look": 4, "call-off": 3, "vanish": 4,
}
# Alone, after the others of a batch.
EXTRAS = {"": 76, "plug": 14, "move-by-hand": 10}
DISTURBANCES = {"": 62, "kill vfiod": 12, "kill worker": 12, "kill both": 5, "restart": 9}


@dataclass(frozen=True)
class Operation:
    """What a user is to do. What of it matters is up to the verb."""

    user: int
    verb: str
    devices: tuple[str, ...]
    transport: str
    mode: str
    prepare: str
    bind: bool
    manners: str
    policy: str
    seconds: float
    pick: int  # which of the things that there are then
    delay: float

    @property
    def is_operator(self) -> bool:
        return self.user >= USERS - OPERATORS

    def __str__(self) -> str:
        words = {
            "acquire": f"{self.mode} {self.prepare} {'bind' if self.bind else 'as-is'} {self.manners} over {self.transport}",
            "unbind": f"{self.policy} {self.seconds}", "call-off": f"ended after {self.seconds}",
            "vanish": f"#{self.pick}, killed after {self.seconds / 2}",
        }.get(self.verb, f"#{self.pick}")
        return f"user {self.user} {self.verb} {' '.join(self.devices)} ({words}; after {self.delay:.2f} s)"


@dataclass(frozen=True)
class Batch:
    """Operations at the same time, what happens to vfiod meanwhile, and what is done after them."""

    number: int
    operations: list[Operation] = field(default_factory=list)
    disturbance: str = ""
    disturbance_delay: float = 0
    extra: str = ""
    pick: int = 0


def _one_of(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _operation(rng: random.Random, user: int, devices: list[str]) -> Operation:
    mode = rng.choice(["group", "iommufd", "iommufd", "auto"])
    return Operation(
        user=user,
        verb=_one_of(rng, VERBS),
        devices=tuple(rng.sample(devices, rng.choice([1, 1, 1, 2, 3]))),
        # The socket is for members of a group, which every other user is.
        transport=rng.choice(["bus", "socket"]) if user % 2 else "bus",
        mode=mode,
        prepare=rng.choice(["attach", "attach", "bind", "open"] if mode == "iommufd" else ["attach", "attach", "open"]),
        bind=rng.random() < 0.75,
        manners=rng.choice(["polite", "deaf"]),
        policy=rng.choice(["fail", "fail", "wait", "revoke"]),
        seconds=rng.choice([0.3, 1.0, 3.0]),
        pick=rng.randrange(1000),
        delay=round(rng.random() * 0.5, 2),
    )


class Chooser:
    """The batches of a seed, one after the other."""

    def __init__(self, seed: int, devices: list[str]) -> None:
        self._rng = random.Random(seed)
        self._devices = devices
        self._number = 0

    def next(self) -> Batch:
        rng = self._rng
        self._number += 1
        users = rng.sample(range(USERS), rng.choice([1, 2, 3, 4, 6]))
        return Batch(
            number=self._number,
            operations=[_operation(rng, user, self._devices) for user in users],
            disturbance=_one_of(rng, DISTURBANCES),
            disturbance_delay=round(rng.random() * 1.2, 2),
            extra=_one_of(rng, EXTRAS),
            pick=rng.randrange(1000),
        )
