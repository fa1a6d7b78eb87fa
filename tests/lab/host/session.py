# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said with tests/lab/guest/run-cases, and what comes of it: verdicts, output as it comes, requests to the monitor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .qemu import Guest, GuestGone

# A machine that is this late is hung. The slowest seen, two at a time on two cores without KVM, took 80 s.
BOOT_SECONDS = 900
# On top of the time that a case may take in the guest: clearing up, collecting what there is to see.
AFTER_CASE_SECONDS = 300
# systemd gives a service 90 s to stop, and a machine asks for that once.
REBOOT_SECONDS = 600


@dataclass
class Verdict:
    """How a case ended: passed, failed or skipped. Or `boots`: it goes on in the next boot, with these arguments."""

    status: str
    seconds: float = 0
    output: list[str] = field(default_factory=list)
    spoiled: bool = False
    arguments: str = ""


class Session:
    """The conversation with a booted guest."""

    def __init__(self, guest: Guest):
        self._guest = guest
        started = time.monotonic()
        for line in guest.lines(BOOT_SECONDS):
            if line.startswith("@ready "):
                break
        self.boot_seconds = time.monotonic() - started

    def run_case(self, name: str, seconds: int, arguments: str = "") -> Verdict:
        guest = self._guest
        guest.send(f"case {name} {seconds} {guest.kernel.name} {guest.machine.name} {arguments}")
        return self._until_verdict(seconds + AFTER_CASE_SECONDS, None)

    def show(self, program: str, seconds: int, write: Callable[[str], None]) -> Verdict:
        """Runs the demo or a measurement; its output goes to `write`, a line at a time."""
        guest = self._guest
        guest.send(f"show {program} {guest.kernel.name} {guest.machine.name}")
        return self._until_verdict(seconds, write)

    def shell(self, rows: int, columns: int, terminal: str) -> None:
        self._guest.send(f"shell {rows} {columns} {terminal}")
        try:
            self._until_verdict(float("inf"), None)
        except GuestGone:
            # Somebody switched the machine off at its own prompt.
            pass

    def switch_off(self) -> None:
        try:
            self._guest.send("off")
        except GuestGone:
            # That is where it was to go.
            pass
        self._guest.wait_for_end(20)

    def _until_verdict(self, seconds: float, write: Callable[[str], None] | None) -> Verdict:
        output: list[str] = []
        spoiled = False
        started = time.monotonic()
        for line in self._guest.lines(seconds):
            word, _, rest = line.partition(" ")
            if word == "@verdict":
                status, _, took = rest.partition(" ")
                return Verdict(status, float(took), output, spoiled)
            if word == "@spoiled":
                spoiled = True
            if word == "@output":
                output.append(rest)
                if write:
                    write(rest)
            elif word == "@host":
                self._answer(self._guest.monitor, rest)
            elif word == "@disk":
                self._answer(self._guest.disk, rest)
            elif word == "@stopped":
                self._guest.timer_has_stopped(rest)
            elif word in ("@cut", "@reboot"):
                self._end_boot(word)
                return Verdict("boots", time.monotonic() - started, output, arguments=rest)
        raise AssertionError("lines() ends with an exception")

    def _end_boot(self, word: str) -> None:
        if word == "@cut":
            self._guest.cut_power()
        else:
            self._guest.wait_for_reboot(REBOOT_SECONDS)

    def _answer(self, ask: Callable[[str], str], command: str) -> None:
        try:
            text = ask(command).replace("\\", "\\\\").replace("\n", "\\n")
            self._guest.send(f"answer ok {text}")
        except RuntimeError as error:
            self._guest.send("answer failed " + " ".join(str(error).split()))
