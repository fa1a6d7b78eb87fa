#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures vfiod on the machine it runs on, against a floor or a peer's tool in the same run.

Prints a table, and with --json FILE the same as JSON. Every row is a ratio with the aim it is held to; a row that misses its
aim is marked, and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

LAB = Path("/usr/lib/vfiod-lab/bench")
PING = ["busctl", "call", "org.vfiod1", "/", "org.freedesktop.DBus.Peer", "Ping"]


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def seconds_of(command: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - started


def in_turn(commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """Medians, each round running every command once, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds_of(command))
    return {name: statistics.median(values) for name, values in times.items()}


class Table:
    """The rows of the result."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, what: str, value: str, ratio: float | None, aim: str, met: bool) -> None:
        self.rows.append({"what": what, "value": value, "ratio": None if ratio is None else round(ratio, 2),
                          "aim": aim, "met": met})

    def show(self) -> None:
        for row in self.rows:
            ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
            print(f"{row['what']:<58} {row['value']:>22} {ratio:>7}  {row['aim']:<18} {'ok' if row['met'] else 'MISSED'}")

    def met(self) -> bool:
        return all(row["met"] for row in self.rows)


def devices() -> int:
    return len(json.loads(run(["vfioctl", "--json", "list"]))["Devices"])


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def bench_list(table: Table, rounds: int, ping_aim: bool) -> None:
    commands = {"vfioctl list": ["vfioctl", "list"], "lspci -k": ["lspci", "-k"], "busctl Ping": PING}
    for name, command in {"driverctl list-devices": ["driverctl", "list-devices"],
                          "dpdk-devbind.py -s": ["dpdk-devbind.py", "-s"]}.items():
        if shutil.which(command[0]):
            commands[name] = command
    times = in_turn(commands, rounds)
    ours = times["vfioctl list"]
    count = devices()
    value = milliseconds(ours)
    table.add(f"vfioctl list, {count} devices, over lspci -k", value, ours / times["lspci -k"], "< 1", ours < times["lspci -k"])
    if ping_aim:
        ratio = ours / times["busctl Ping"]
        table.add(f"vfioctl list, {count} devices, over busctl Ping", value, ratio, "<= 1.3", ratio <= 1.3)
    for name in ("driverctl list-devices", "dpdk-devbind.py -s"):
        if name in times:
            ratio = times[name] / ours
            table.add(f"{name}, {count} devices, over vfioctl list", milliseconds(times[name]), ratio, ">= 10", ratio >= 10)


def bench_acquire(table: Table, device: str, rounds: int) -> None:
    """A device ready for use, and one merely opened, as QEMU wants it.

    Opening alone resets nothing, but what was given out like that is bound when it comes back, to see whether anybody has it, and
    that does: there the floor is of acquiring alone.
    """
    group = Path(f"/sys/bus/pci/devices/{device}/iommu_group").resolve().name
    modes = ["group", "iommufd"] if Path("/dev/iommu").exists() else ["group"]
    run(["vfioctl", "bind", device])
    for mode in modes:
        result = json.loads(run([str(LAB / "acquire"), mode, "attach", group, device, str(rounds)]))
        table.add(f"acquire + release, {mode} mode, over its floor", milliseconds(result["acquire_release_usec"] / 1e6),
                  result["ratio"], "<= 1.5", result["ratio"] <= 1.5)
    if "iommufd" in modes:
        result = json.loads(run([str(LAB / "acquire"), "iommufd", "open", group, device, str(rounds)]))
        table.add("acquire alone, iommufd mode, merely opened", milliseconds(result["acquire_usec"] / 1e6),
                  result["acquire_usec"] / result["floor_usec"], "-", True)
    time.sleep(1)
    run(["vfioctl", "unbind", device])


def bench_unbind(table: Table, device: str, rounds: int) -> None:
    """From the end of the last holder to the answer of an Unbind that waits; the device goes back to no driver."""
    driver = Path(f"/sys/bus/pci/devices/{device}/driver").resolve()
    (driver / "unbind").write_text(device)
    result = json.loads(run([str(LAB / "unbind"), device, str(rounds)]))
    (driver / "bind").write_text(device)
    table.add("last holder's end to unbound, over writing `unbind`", f"{result['unbind_usec'] / 1000:.1f} ms",
              result["ratio"], "-", True)
    table.add("the same, over closing the device and writing `unbind`", f"{result['unbind_usec'] / 1000:.1f} ms",
              result["ratio_with_close"], "-", True)


def bench_holders(table: Table, device: str, rounds: int) -> None:
    """Who has a group, among many processes of which one has it.

    All three read the name or the type of every file of every process, one system call each, which is most of what the search
    costs; lsof makes five more.
    """
    group = Path(f"/sys/bus/pci/devices/{device}/iommu_group").resolve().name
    node = f"/dev/vfio/{group}"
    peers = {"lsof -n": ["lsof", "-n", node], "fuser": ["fuser", node]}
    times: dict[str, list[float]] = {name: [] for name in [*peers, "scan"]}
    run(["vfioctl", "bind", device])
    crowd = subprocess.Popen([str(LAB / "holders"), "crowd", "1000", "50", node], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert crowd.stdin and crowd.stdout
    if crowd.stdout.readline() != b"ready\n":
        raise RuntimeError("no crowd of processes")
    for _ in range(rounds):
        for name, command in peers.items():
            if shutil.which(command[0]):
                times[name].append(seconds_of(command))
        result = json.loads(run([str(LAB / "holders"), "scan", group, "3"]))
        if result["found"] != 1:
            raise RuntimeError(f"the scan found {result['found']} processes, not 1")
        times["scan"].append(result["scan_usec"] / 1e6)
    crowd.stdin.close()
    crowd.wait()
    time.sleep(1)
    run(["vfioctl", "unbind", device])
    ours = statistics.median(times["scan"])
    table.add("search for holders, 1,000 processes of 50 files", milliseconds(ours), None, "-", True)
    for name, least in (("lsof -n", 20), ("fuser", 1)):
        if times[name]:
            theirs = statistics.median(times[name])
            table.add(f"{name} on the group's node, over that", milliseconds(theirs), theirs / ours, f">= {least}",
                      theirs / ours >= least)


def first_answer(command: list[str], user: str | None = None) -> float:
    """Seconds from starting what becomes QEMU to its first answer over QMP, for which it inherits a socket: nothing is polled."""
    ours, its = socket.socketpair()
    with ours, ours.makefile("r") as lines:
        started = time.monotonic()
        qemu = subprocess.Popen([*command, "-chardev", f"socket,id=qmp,fd={its.fileno()}", "-mon", "chardev=qmp,mode=control"],
                                pass_fds=[its.fileno()], user=user, group=user, extra_groups=[] if user else None)
        its.close()
        lines.readline()  # its greeting
        ours.sendall(b'{"execute": "qmp_capabilities"}\n')
        answer = lines.readline()
        seconds = time.monotonic() - started
    qemu.kill()
    qemu.wait()
    if "return" not in answer:
        raise RuntimeError(f"QEMU did not answer: {answer or 'it has hung up'}")
    return seconds


def run_as(user: str, command: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True, user=user, group=user, extra_groups=[])
    return time.monotonic() - started


def wait_for_no_leases() -> None:
    while json.loads(run(["vfioctl", "--json", "leases"])):
        time.sleep(0.1)


def relative_error(values: list[float]) -> float:
    """The standard error of the median, over it, from the interquartile range as of a normal distribution."""
    low, middle, high = statistics.quantiles(values, n=4)
    return 0.93 * (high - low) / math.sqrt(len(values)) / middle


def bench_vm(table: Table, device: str, user: str, rounds: int) -> None:
    """QEMU of an ordinary user, with files from vfiod, against QEMU of root that opens them itself. Guest memory is pinned in both."""
    run(["vfioctl", "bind", device])
    qemu = ["qemu-system-x86_64", "-M", "q35,accel=tcg", "-m", "256", "-nodefaults", "-display", "none", "-S"]
    by_root = [*qemu, "-object", "iommufd,id=i0", "-device", f"vfio-pci,host={device},iommufd=i0"]
    brokered = ["vfioctl", "exec", "--mode=iommufd", "--prepare=open", "--memlock=1G", device, "--"]
    by_user = [*brokered, *qemu, *run(["vfioctl", "qemu-args", device]).split()]
    roots, users, nothings = [], [], []
    for _ in range(rounds + 1):
        roots.append(first_answer(by_root))
        users.append(first_answer(by_user, user))
        wait_for_no_leases()
        nothings.append(run_as(user, [*brokered, "true"]))
        wait_for_no_leases()
    run(["vfioctl", "unbind", device])
    # The first of each was for nothing: QEMU and its libraries were not in memory yet.
    roots, users, nothings = roots[1:], users[1:], nothings[1:]
    ratio = statistics.median(users) / statistics.median(roots)
    noise = 2 * math.hypot(relative_error(roots), relative_error(users))
    table.add("QEMU's start to first QMP answer, root with host=", milliseconds(statistics.median(roots)), None, "-", True)
    table.add("the same of a user with files of vfiod, over that", milliseconds(statistics.median(users)), ratio,
              f"<= 1 + {noise:.2f} noise", ratio <= 1 + noise)
    table.add("vfioctl exec with `true` in QEMU's place", milliseconds(statistics.median(nothings)), None, "-", True)


def daemon_pid() -> int:
    return int(run(["systemctl", "show", "--property=MainPID", "--value", "vfiod.service"]))


def pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError("no Pss")


def switches(pid: int) -> int:
    """How often the process has been scheduled: a process that slept has not been."""
    return sum(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
               if "ctxt_switches" in line)


def bench_daemon(table: Table, idle_seconds: int) -> None:
    subprocess.run(["systemctl", "stop", "vfiod.service"], check=True)
    started = seconds_of(["systemctl", "start", "vfiod.service"])
    count = devices()
    table.add(f"start to READY, {count} devices", milliseconds(started), None, "-", True)
    pid = daemon_pid()
    table.add(f"memory (Pss), {count} devices", f"{pss_kib(pid)} KiB", None, "-", True)
    time.sleep(2)
    before = switches(pid)
    time.sleep(idle_seconds)
    wakes = switches(pid) - before
    table.add(f"wake-ups in {idle_seconds} s idle", str(wakes), None, "0", wakes == 0)


def bench_all(table: Table, arguments: argparse.Namespace) -> None:
    bench_daemon(table, idle_seconds=30)
    bench_list(table, arguments.rounds, not arguments.no_ping)
    if arguments.device:
        bench_acquire(table, arguments.device, arguments.rounds * 2)
        bench_unbind(table, arguments.device, arguments.rounds)
        bench_holders(table, arguments.device, rounds=5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--device", help="measure leases with this device")
    parser.add_argument("--vm-user", help="measure nothing but VMs of this user, with the device")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-ping", action="store_true", help="no aim for vfioctl list over busctl Ping")
    arguments = parser.parse_args()
    table = Table()
    if arguments.vm_user:
        bench_vm(table, arguments.device, arguments.vm_user, arguments.rounds)
    else:
        bench_all(table, arguments)
    table.show()
    print("bench-json:", json.dumps(table.rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(table.rows, indent=2) + "\n")
    return 0 if table.met() else 1


if __name__ == "__main__":
    sys.exit(main())
