# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the machine, systemd and vfiod say by themselves: sysfs, /proc, the state file, the store. Owns reading; judges nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, NamedTuple

PCI = Path("/sys/bus/pci/devices")
STATE = Path("/run/vfiod/state.json")
LAB = Path("/usr/lib/vfiod-lab")


class NotSo(Exception):
    """Something that must be so is not."""


class Facts(NamedTuple):
    """Where a device is."""

    driver: str
    override: str
    vfio: bool  # by its vfio-dev directory, not by its driver's name


def run(*command: str, seconds: float = 60) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds).stdout
    except subprocess.CalledProcessError as error:
        raise NotSo(f"{' '.join(command)}: status {error.returncode}: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise NotSo(f"{' '.join(command)}: no end in {seconds:.0f} s") from error


def wait_until(what: str, seconds: float, is_so: Callable[[], object]) -> None:
    """Until it returns something true; an exception of its own counts as not yet, and is told in the end."""
    deadline = time.monotonic() + seconds
    while True:
        reason = ""
        try:
            if is_so():
                return
        except (NotSo, OSError, ValueError) as error:
            reason = f": {error}"
        if time.monotonic() > deadline:
            raise NotSo(f"within {seconds:.0f} s: {what}{reason}")
        time.sleep(0.1)


def link_name(path: Path) -> str:
    try:
        return os.path.basename(os.readlink(path))
    except OSError:
        return ""


def write(path: Path | str, text: str) -> None:
    Path(path).write_text(text + "\n")


def is_present(device: str) -> bool:
    return (PCI / device).exists()


def facts_of(device: str) -> Facts:
    directory = PCI / device
    override = (directory / "driver_override").read_text().strip()
    return Facts(link_name(directory / "driver"), "" if override == "(null)" else override, (directory / "vfio-dev").is_dir())


def group_of(device: str) -> int:
    """-1: it is not there."""
    name = link_name(PCI / device / "iommu_group")
    return int(name) if name else -1


def ask_monitor(*command: str) -> None:
    """A command of QEMU's monitor (host.sh)."""
    run("bash", "-c", '. "$0"; ask_host "$@"', str(LAB / "host.sh"), *command)


# --- vfiod


class Service(NamedTuple):
    """What systemd says of it."""

    active: bool
    pid: int
    stored: int  # files that it keeps


def service() -> Service:
    text = run("systemctl", "show", "--property=ActiveState,MainPID,NFileDescriptorStore", "vfiod.service")
    found = dict(line.split("=", 1) for line in text.split())
    return Service(found["ActiveState"] == "active", int(found["MainPID"]), int(found["NFileDescriptorStore"]))


def workers(main: int) -> list[int]:
    """Of that vfiod, or of one before it."""
    text = Path("/sys/fs/cgroup/system.slice/vfiod.service/cgroup.procs").read_text()
    return [int(word) for word in text.split() if int(word) != main]


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def vfio_files(pid: int) -> Counter[str]:
    """What vfiod itself has open, by what it is: paths below /dev, which are those of another mount for files of a vfiod before it."""
    found: Counter[str] = Counter()
    directory = f"/proc/{pid}/fd"
    for name in os.listdir(directory):
        try:
            target = os.readlink(f"{directory}/{name}")
        except OSError:
            continue
        if "vfio" in target or "iommu" in target:
            found[target.removeprefix("/dev")] += 1
    return found


def count_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid: int) -> int:
    """KiB of its own: of a file its share depends on who else has it mapped just now."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Anonymous: *(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def stored_names() -> list[str]:
    """Of the files that systemd keeps."""
    entries = json.loads(run("systemd-analyze", "--json=short", "fdstore", "vfiod.service"))
    return [entry["fdname"] for entry in entries]


def state_file() -> dict[str, Any]:
    state: dict[str, Any] = json.loads(STATE.read_text())
    return state


def journal(cursor: str) -> list[dict[str, Any]]:
    """What vfiod has said after that record; "" for all of it."""
    run("journalctl", "--sync")
    text = run("journalctl", "--quiet", "--no-pager", "--output=json", *([f"--after-cursor={cursor}"] if cursor else []),
               "_SYSTEMD_UNIT=vfiod.service")
    return [json.loads(line) for line in text.splitlines()]


def leases() -> dict[int, dict[str, Any]]:
    return {lease["Id"]: lease for lease in json.loads(run("vfioctl", "--json", "leases"))}


def listing() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("vfioctl", "--json", "list"))
    return found
