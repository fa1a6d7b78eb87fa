# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab cases: reading their headers, choosing some of them, and sharing boots among them."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, replace
from pathlib import Path

from .machines import MACHINES

KERNELS = ("stock", "lab", "newest")
# What a case asks for by the configuration it needs: the newest kernel has the lab's.
CONFIGURED_AS = {"stock": ("stock",), "lab": ("lab", "newest"), "newest": ("newest",)}
FLAGS = {
    "slow",  # only with --full, or when named
    "only-named",  # not with --full either
    "leaves-changes",  # drivers, overrides or devices may be others after it
    "kernel-may-warn",  # WARNING and the like in the kernel's log are its point
    "kills-vfiod",  # so is the daemon's death
}


class BadHeader(Exception):
    """A case says something about itself that nobody understands."""


@dataclass(frozen=True)
class Case:
    """A file of tests/lab/cases and what its header says: see HACKING.md for the lines."""

    name: str
    machine: str = "default"
    kernels: tuple[str, ...] = KERNELS
    own_boot: bool = False
    seconds: int = 240  # a bound for what hangs: far more than any of them takes
    slow: bool = False
    only_named: bool = False
    usually: str | None = None  # the one kernel it runs on unless all are asked for
    again: bool = False  # the emulator has failed it once
    # Of one that has asked for another boot: what it goes on with, and what it has taken and said so far.
    arguments: str = ""
    earlier_seconds: float = 0
    earlier_output: tuple[str, ...] = ()

    def after(self, arguments: str, seconds: float, output: list[str]) -> Case:
        """What is left of it in the next boot."""
        return replace(self, arguments=arguments, earlier_seconds=self.earlier_seconds + seconds,
                       earlier_output=(*self.earlier_output, *output))


@dataclass
class Boot:
    """A machine with a kernel, and the cases that run there one after the other."""

    machine: str
    kernel: str
    cases: list[Case]


def read_case(path: Path) -> Case:
    """The header is the comment block on top; `# word: value` and `# word` lines in it have a meaning, sentences have not."""
    settings: dict[str, object] = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        if match := re.fullmatch(r"# (machine|kernels|usually|boot|time): (.+)", line):
            settings |= _setting(path, match[1], match[2].split())
        elif match := re.fullmatch(r"# ([a-z]+(?:-[a-z]+)*)", line):
            if match[1] not in FLAGS:
                raise BadHeader(f"{path.name}: no such flag: {match[1]}")
            if match[1] in ("slow", "only-named"):
                settings[match[1].replace("-", "_")] = True
    return Case(path.stem, **settings)  # type: ignore[arg-type]


def _setting(path: Path, word: str, values: list[str]) -> dict[str, object]:
    if word == "kernels" and set(values) <= set(KERNELS):
        return {"kernels": tuple(name for name in KERNELS if any(name in CONFIGURED_AS[value] for value in values))}
    if word == "usually" and len(values) == 1 and values[0] in KERNELS:
        return {"usually": values[0]}
    if word == "machine" and len(values) == 1 and values[0] in MACHINES:
        return {"machine": values[0]}
    if word == "boot" and values in (["shared"], ["own"]):
        return {"own_boot": values == ["own"]}
    if word == "time" and len(values) == 1 and values[0].isdigit():
        return {"seconds": int(values[0])}
    raise BadHeader(f"{path.name}: {word} cannot be '{' '.join(values)}'")


def read_cases(directory: Path) -> list[Case]:
    return [read_case(path) for path in sorted(directory.glob("*.sh"))]


def choose(cases: list[Case], patterns: list[str], slow: bool) -> list[Case]:
    """By patterns for the name (a part of it will do), or all of them but those for which that takes a name; the slow ones only if asked for."""
    if patterns:
        return [case for case in cases if any(fnmatch.fnmatch(case.name, pattern) or pattern in case.name for pattern in patterns)]
    return [case for case in cases if not case.only_named and (slow or not case.slow)]


def share_boots(cases: list[Case], kernels: list[str], usual: bool) -> list[Boot]:
    """As few boots as the cases allow, of these kernels; `usual`: where a case says so, of the one it usually runs on."""
    shared: dict[tuple[str, str], Boot] = {}
    alone: list[Boot] = []
    for case in cases:
        for name in case.kernels:
            if name not in kernels or (usual and case.usually not in (None, name)):
                continue
            if case.own_boot:
                alone.append(Boot(case.machine, name, [case]))
            else:
                shared.setdefault((case.machine, name), Boot(case.machine, name, [])).cases.append(case)
    return [*shared.values(), *alone]
