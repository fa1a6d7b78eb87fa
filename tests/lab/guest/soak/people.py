# SPDX-License-Identifier: LGPL-2.1-or-later
"""The users: programs that are run as them, and the holders of leases (soak-user.c) that stay."""

from __future__ import annotations

import grp
import os
import pwd
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from choice import Operation
from machine import LAB, NotSo

# Nothing here takes as long, also where an answer waits for vfiod to be restarted.
HANG_SECONDS = 90
ERROR_NAME = re.compile(r"(?:org\.vfiod1\.Error|org\.freedesktop\.DBus\.Error|System\.Error)\.\w+")


@dataclass
class Answer:
    """What came of asking: the name of the error, "" for success."""

    error: str
    text: str


def credentials(user: int) -> dict[str, Any]:
    """Of Popen."""
    entry = pwd.getpwnam(f"soak{user}")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [grp.getgrnam("vfio").gr_gid] if user % 2 else []}


def answer_of(text: str) -> Answer:
    names = ERROR_NAME.findall(text)
    return Answer(names[-1] if names else "nameless", text.strip())


def ask(operation: Operation, *words: str, end_after: float | None = None, end: signal.Signals = signal.SIGINT) -> Answer:
    """vfioctl, as that user; ended by a signal after some seconds where that is wanted."""
    command = ["vfioctl", *(["--socket"] if operation.transport == "socket" else []), *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          **credentials(operation.user)) as process:
        if end_after is not None:
            try:
                process.wait(end_after)
            except subprocess.TimeoutExpired:
                process.send_signal(end)
        try:
            _, words_of_error = process.communicate(timeout=HANG_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise NotSo(f"{' '.join(command)}: no answer in {HANG_SECONDS} s") from error
    if process.returncode == 0:
        return Answer("", "")
    if process.returncode in (130, -end):
        return Answer("interrupted", words_of_error)
    return answer_of(f"status {process.returncode}: {words_of_error}")


@dataclass
class Holder:
    """A process that has a lease, or asks for one."""

    user: int
    units: set[str]
    manners: str
    mode: str = ""
    prepare: str = ""
    lease: int = 0
    excuse: str = ""  # why it may be gone, or go; of this batch
    claims: set[str] = field(default_factory=set)  # units that it had, or may have had, in this batch
    uncertain: bool = False  # which units its lease has: asked of a vfiod that died
    said: list[str] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _pending: bytes = b""

    def start(self, operation: Operation) -> Answer:
        """Asks for the lease."""
        self._process = subprocess.Popen(
            [str(LAB / "soak-user"), operation.transport, operation.mode, operation.prepare,
             "bind" if operation.bind else "as-is", operation.manners, *operation.devices],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0, **credentials(operation.user))
        line = self._answer()
        if line.startswith("held "):
            _, lease, self.mode = line.split()
            self.lease, self.prepare = int(lease), operation.prepare
            return Answer("", line)
        self.reap(HANG_SECONDS)
        return answer_of(line)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process
        return self._process

    def _line(self, seconds: float) -> str | None:
        """The next one that it says; None: it says no more."""
        deadline = time.monotonic() + seconds
        assert self.process.stdout
        while b"\n" not in self._pending:
            if not select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise NotSo(f"{self}: no answer in {seconds:.0f} s")
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                return None
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()

    def _answer(self) -> str:
        while (line := self._line(HANG_SECONDS)) is not None:
            if not line.startswith("!"):
                return line
            self.said.append(line)
        return "gone"

    def tell(self, line: str) -> Answer:
        assert self.process.stdin
        try:
            self.process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            return Answer("gone", "")
        text = self._answer()
        if text in ("ok", "gone"):
            return Answer("" if text == "ok" else "gone", "")
        if not text.startswith("refused "):
            raise NotSo(f"{self}, told to {line}: {text}")
        return answer_of(text)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def forget(self) -> None:
        """Ends as a program ends that forgets its lease."""
        assert self.process.stdin
        self.process.stdin.close()

    def kill(self) -> None:
        self.process.kill()

    def reap(self, seconds: float) -> None:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise NotSo(f"{self} does not end in {seconds:.0f} s") from error

    def last_words(self) -> str:
        while not self.is_alive() and (line := self._line(1)) is not None:
            self.said.append(line)
        return "; ".join(self.said[-5:])

    def close(self) -> None:
        for end in (self.process.stdin, self.process.stdout):
            if end:
                end.close()

    def __str__(self) -> str:
        units = " ".join(sorted(self.units))
        return f"pid {self.process.pid} of user {self.user} with lease {self.lease} ({self.mode}, {self.manners}, {units})"
