# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk that outlasts the machine: its image, the log of what QEMU has written to it, and what a power cut leaves of it.

It has a volatile write cache that a power cut empties: what the machine has not flushed is lost, although the host has it by then.
QEMU's blklogwrites keeps the log (Documentation/admin-guide/device-mapper/log-writes.rst has its format), and the image of the
next boot is made of that of this one and the log up to the last flush. Of the same log come all the disks that a power cut at any moment
could have left. Owns the files; what the guest keeps there is its own.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIZE_MIB = 32
SECTOR = 512
MAGIC = 0x6A736677736872
HEADER = struct.Struct("<QQQI")  # magic, version, entries, sector size
ENTRY = struct.Struct("<QQQ")  # sector, sectors, flags
FLUSH, FUA, DISCARD = 1, 2, 4
# Where the guest finds it: away from all that cases rely on.
SLOT = "0x1e.0"


@dataclass(frozen=True)
class Write:
    """An entry of the log; one without data is a flush alone, or a discard."""

    offset: int
    length: int
    flags: int
    data: bytes


class Disk:
    """A disk with an empty ext4, which the guest mounts before it looks at any device (tests/lab/guest/mount-disk)."""

    def __init__(self, directory: Path):
        self._image = directory / "disk"
        self._log = directory / "disk.log"
        self._before = directory / "disk.before"
        self._trial = directory / "disk.trial"
        self._mark = 0
        with self._image.open("wb") as image:
            image.truncate(SIZE_MIB << 20)
        # Nothing is left for the guest to initialise, which would be writes that no case has asked for.
        subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-b", "4096",
                        "-E", "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0", str(self._image)], check=True)
        self._begin()

    def _begin(self) -> None:
        self._before.write_bytes(self._image.read_bytes())
        self._log.write_bytes(b"")
        self._mark = 0

    def options(self) -> list[str]:
        return [
            "-blockdev", f"driver=file,node-name=image,filename={self._image}",
            "-blockdev", f"driver=file,node-name=log,filename={self._log}",
            "-blockdev", f"driver=blklogwrites,node-name=disk,file=image,log=log,log-sector-size={SECTOR},log-super-update-interval=1",
            "-device", f"virtio-blk-pci,id=disk,drive=disk,addr={SLOT}",
        ]

    def _writes(self) -> Iterator[Write]:
        log = self._log.read_bytes()
        if not log:
            return
        magic, _, count, sector_size = HEADER.unpack_from(log)
        if magic != MAGIC or sector_size != SECTOR:
            raise RuntimeError("QEMU has written no log of its disk")
        at = SECTOR
        for _ in range(count):
            sector, sectors, flags = ENTRY.unpack_from(log, at)
            at += SECTOR
            length = 0 if flags & DISCARD else sectors * SECTOR
            yield Write(sector * SECTOR, sectors * SECTOR, flags, log[at:at + length])
            at += length

    def cut_off(self) -> None:
        """The machine was killed: what it had not flushed never was."""
        self._image.write_bytes(flushed(self._before.read_bytes(), list(self._writes())))
        self._begin()

    def switched_off(self) -> None:
        """The machine has ended as it should: all that was written is there."""
        self._begin()

    def mark(self) -> None:
        """What was written until now has all got there: cuts from here on are looked at."""
        self._mark = len(list(self._writes()))

    def cuts(self, path: str) -> str:
        """What may be in the file after a cut since the mark: how many disks have which content, and what the last one has."""
        found: Counter[str] = Counter()
        last = ""
        seen: dict[bytes, str] = {}
        for image in possible(self._before.read_bytes(), list(self._writes()), self._mark):
            key = hashlib.md5(image).digest()
            if key not in seen:
                seen[key] = self._content(image, path)
                found[seen[key]] += 1
            last = seen[key]
        return " ".join([last, *(f"{content}={count}" for content, count in found.items())])

    def _content(self, image: bytes, path: str) -> str:
        """In a word, as tests/lab/guest/boots.sh makes it. e2fsck does what mounting does after a cut."""
        self._trial.write_bytes(image)
        if subprocess.run(["/usr/sbin/e2fsck", "-p", str(self._trial)], stdout=subprocess.DEVNULL, check=False).returncode > 1:
            return "no-file-system"
        dump = subprocess.run(["/usr/sbin/debugfs", "-R", f"cat {path}", str(self._trial)], capture_output=True, check=True)
        if b"File not found" in dump.stderr:
            return "none"
        lines = dump.stdout.splitlines(keepends=True)
        return hashlib.md5(b"".join(line for line in lines if b'"since"' not in line)).hexdigest()


def possible(before: bytes, writes: list[Write], first: int) -> Iterator[bytes]:
    """The disks that cuts may leave after each write from the first on: with all that came before, with what was flushed alone, and
    with each one of the writes since the last flush missing, because a disk writes in whatever order it likes. The last one has what
    was flushed in the end."""
    for end in range(first, len(writes) + 1):
        durable = flushed(before, writes[:end])
        since = writes[last_flush(writes[:end]):end]
        for missing in [None, *since]:
            image = bytearray(durable)
            for write in since:
                if write is not missing:
                    apply(image, write)
            yield bytes(image)
        yield durable


def last_flush(writes: list[Write]) -> int:
    """How many writes are on the disk for good."""
    return max((number for number, write in enumerate(writes, 1) if write.flags & (FLUSH | FUA)), default=0)


def flushed(image: bytes, writes: list[Write]) -> bytes:
    """The image with all that was written before the last flush."""
    result = bytearray(image)
    for write in writes[:last_flush(writes)]:
        apply(result, write)
    return bytes(result)


def apply(image: bytearray, write: Write) -> None:
    data = bytes(write.length) if write.flags & DISCARD else write.data
    image[write.offset:write.offset + len(data)] = data
