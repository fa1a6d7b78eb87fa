# SPDX-License-Identifier: LGPL-2.1-or-later
"""One emulated machine: starting QEMU, its monitor, the line-wise channel to the guest, its end.

Three serial ports: ttyS0 is the console, kept in a file; ttyS1 the channel to tests/lab/guest/run-cases; ttyS2 the terminal
of a person, where there is one. Owns the process and its sockets; what is said over them is for the callers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .disk import Disk
from .machines import Machine

# What every machine is told: an IOMMU, where there is one, translates; no work that emulation makes slow and no case needs.
KERNEL_OPTIONS = [
    "console=ttyS0", "intel_iommu=on", "iommu.passthrough=0", "systemd.unit=vfiod-lab.target", "quiet", "tsc=reliable",
    "mitigations=off", "cryptomgr.notests", "apparmor=0", "selinux=0", "audit=0", "systemd.show_status=0",
    # On a busy host the emulated timer may tick too late for the kernel's test of it, which ends in a panic.
    "no_timer_check",
    # An emulated processor now and then loses the one interrupt that it has asked for, and sleeps for ever if it was to be
    # woken by that. One that ticks is woken by the next.
    "highres=off", "nohz=off",
]

# How often a machine that says nothing is looked at.
LOOK_SECONDS = 5

# What its kernel says of a processor whose timer never fires, which stops all that waits there; and what run-cases has seen.
LOST_TIMER = re.compile(r"timer wakeup didn't happen|the timer of processor \d+ has stopped")


def lost_timer(text: str) -> str:
    """What the emulator has done wrong, if it has; else ""."""
    return "an emulated processor lost its timer" if LOST_TIMER.search(text) else ""


class GuestGone(Exception):
    """The machine ended, hung or stopped talking; the text has its last words."""

    def __init__(self, text: str, status: int | None):
        super().__init__(text)
        self._status = status

    @property
    def fault_of_emulator(self) -> str:
        """What QEMU has done wrong, whatever the guest did; "" for nothing that is known."""
        if self._status in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
            return f"QEMU crashed ({str(self).splitlines()[-1]})"
        return lost_timer(str(self))


@dataclass(frozen=True)
class Kernel:
    """One of the kernels that tests/setup/kernel.sh made."""

    name: str
    directory: Path

    @property
    def version(self) -> str:
        return (self.directory / "version").read_text().strip()


@dataclass(frozen=True)
class Artefacts:
    """What was made before a machine is booted (tests/setup)."""

    emulator: Path
    root: Path
    overlays: list[Path]  # more for the root
    images: Path | None  # of machines with an initramfs


class Guest:
    """A running machine. Use it with `with`: it is killed at the end, whatever happened."""

    def __init__(self, made: Artefacts, machine: Machine, kernel: Kernel, console: Path, terminal: bool = False, disk: Disk | None = None):
        self._made = made
        self.machine = machine
        self.kernel = kernel
        self._disk = disk
        self.console = console
        self._qemu_log = console.with_suffix(".qemu")
        self._scratch = Path(tempfile.mkdtemp(prefix="vfiod-lab-"))
        self._pending = b""
        try:
            self._start(terminal)
        except BaseException:
            self.close()
            raise

    _process: subprocess.Popen[bytes] | None = None
    _channel: socket.socket | None = None
    _monitor: socket.socket | None = None

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pack(self) -> Path:
        """The root file system that the kernel unpacks into memory."""
        initrd = self._scratch / "initrd"
        with initrd.open("wb") as whole:
            own = [self._kernel_archive()] if self.machine.has_kernel else []
            own += [self._files_archive()] if self.machine.files else []
            for part in (self._made.root / "root.cpio", self.kernel.directory / "modules.cpio", *self._made.overlays, *own):
                with part.open("rb") as archive:
                    shutil.copyfileobj(archive, whole, 1 << 20)
        return initrd

    def _image(self, what: str) -> Path:
        assert self._made.images
        return self._made.images / f"{self.kernel.name}.{what}"

    def _start(self, terminal: bool) -> None:
        maker = self.machine.initramfs
        initrd = self._image(maker) if maker else self._pack()
        self.console.parent.mkdir(parents=True, exist_ok=True)
        listening = {name: self._listen(name) for name in ("channel", "monitor")}
        log = self._qemu_log.open("wb")
        self._process = subprocess.Popen(
            self._command(initrd, terminal),
            stdin=None if terminal else subprocess.DEVNULL,
            stdout=None if terminal else log,
            stderr=log,
            start_new_session=not terminal,
        )
        log.close()
        self._channel = self._accept(listening["channel"])
        self._monitor = self._accept(listening["monitor"])
        self._greet_monitor()
        # QEMU has read it by the time its monitor answers.
        if not maker:
            initrd.unlink()

    def _kernel_archive(self) -> Path:
        (self._scratch / "boot").mkdir()
        shutil.copy(self.kernel.directory / "vmlinuz", self._scratch / "boot")
        return self._archive("kernel.cpio", self._scratch, ["boot", "boot/vmlinuz"])

    def _files_archive(self) -> Path:
        tree = self._scratch / "files"
        names = []
        for name, text in self.machine.files:
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o644)
            names += [str(parent) for parent in reversed(Path(name).parents) if str(parent) != "."] + [name]
        return self._archive("files.cpio", tree, names)

    def _archive(self, name: str, tree: Path, paths: list[str]) -> Path:
        archive = self._scratch / name
        with archive.open("wb") as file:
            subprocess.run(["cpio", "--create", "--format=newc", "--quiet", "--owner=0:0"], input="\n".join(paths).encode(),
                           stdout=file, cwd=tree, check=True)
        return archive

    def _command(self, initrd: Path, terminal: bool) -> list[str]:
        options, disk = KERNEL_OPTIONS, []
        if self.machine.initramfs:
            # systemd's (dracut) would else not wait for more than the root's device.
            options = [*KERNEL_OPTIONS, "root=/dev/vda", "rw", "rd.systemd.wants=systemd-udev-settle.service"]
            disk = ["-drive", f"if=virtio,format=raw,snapshot=on,file={self._image('ext4')}"]
        command = [
            # Not to go on without its runner, should that be killed.
            "setpriv", "--pdeathsig", "KILL", *_program(self._made.emulator), "-M", "q35", "-smp", "2", "-m", str(self.machine.memory_mib),
            *_acceleration(self.machine),
            "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", str(self.kernel.directory / "vmlinuz"), "-initrd", str(initrd), "-append", " ".join(options),
            "-serial", f"file:{self.console}",
            "-chardev", f"socket,id=channel,path={self._scratch}/channel", "-serial", "chardev:channel",
            "-chardev", f"socket,id=monitor,path={self._scratch}/monitor", "-mon", "chardev=monitor,mode=control",
            *(["-device", "intel-iommu,intremap=on,caching-mode=on"] if self.machine.has_iommu else []),
            *self.machine.devices,
            *disk,
            *(self._disk.options() if self._disk else []),
        ]
        if terminal:
            command += ["-chardev", "stdio,id=terminal,signal=off", "-serial", "chardev:terminal"]
        return command

    # QEMU connects to us, so there is no moment at which it runs and its sockets are not there yet.
    def _listen(self, name: str) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self._scratch / name))
        listening.listen(1)
        listening.settimeout(1)
        return listening

    def _accept(self, listening: socket.socket) -> socket.socket:
        with listening:
            for _ in range(30):
                try:
                    return listening.accept()[0]
                except TimeoutError:
                    if self._process and self._process.poll() is not None:
                        break
        raise self._gone("QEMU did not start")

    def _greet_monitor(self) -> None:
        assert self._monitor
        self._monitor_file = self._monitor.makefile("rw")
        self._monitor_file.readline()
        self._qmp("qmp_capabilities")

    def _qmp(self, command: str, **arguments: str) -> object:
        self._monitor_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._monitor_file.flush()
        while line := self._monitor_file.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]
        raise self._gone("QEMU closed its monitor")

    def monitor(self, command: str) -> str:
        """Runs a command of QEMU's human monitor, which says nothing if all is well or prints what was asked for."""
        text = str(self._qmp("human-monitor-command", **{"command-line": command})).replace("\r", "")
        if re.match(r"Error|unknown command|.*: extraneous characters", text):
            raise RuntimeError(text.strip())
        return text

    def disk(self, command: str) -> str:
        """Answers `mark`, and `cuts FILE` (disk.py)."""
        verb, *arguments = command.split()
        if not self._disk:
            raise RuntimeError("this machine has no disk that outlasts it")
        if verb == "mark":
            self._disk.mark()
            return ""
        return self._disk.cuts(*arguments)

    def send(self, line: str) -> None:
        assert self._channel
        try:
            self._channel.sendall(line.encode() + b"\n")
        except OSError as error:
            raise self._gone(f"the machine is gone ({error})") from error

    def lines(self, seconds: float) -> Iterator[str]:
        """What the guest says, a line at a time. The seconds are for all of it: then the machine counts as hung."""
        assert self._channel
        deadline = time.monotonic() + seconds
        while True:
            line, newline, rest = self._pending.partition(b"\n")
            if newline:
                self._pending = rest
                yield line.decode(errors="replace").rstrip("\r")
                continue
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise self._gone(f"the machine said nothing final in {seconds:.0f} s", hangs=True)
            self._channel.settimeout(min(remaining, LOOK_SECONDS))
            try:
                data = self._channel.recv(65536)
            except TimeoutError:
                self._look()
                continue
            except OSError:
                data = b""
            if not data:
                raise self._gone("the machine ended")
            self._pending += data

    def _look(self) -> None:
        """It is not waited for if it stands still by its own account."""
        for line in self.console.read_text(errors="replace").splitlines():
            if LOST_TIMER.search(line):
                raise self._gone(f"the machine stands still: {line.strip()}", hangs=True)

    def timer_has_stopped(self, processor: str) -> None:
        """One with a disk may get along all the same: it cannot be put back to where it was and begin again."""
        if not self.machine.has_disk:
            raise self._gone(f"the timer of processor {processor} has stopped", hangs=True)

    def wait_for_end(self, seconds: float) -> None:
        if self._process:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass

    def cut_power(self) -> None:
        """Ends it as if its plug were pulled."""
        self._kill()
        if self._disk:
            self._disk.cut_off()

    def wait_for_reboot(self, seconds: float) -> None:
        """It was told to reboot, which ends QEMU."""
        self.wait_for_end(seconds)
        if self._process and self._process.poll() is None:
            raise self._gone(f"the machine was to reboot, and had not got there after {seconds:.0f} s")
        if self._disk:
            self._disk.switched_off()

    def _kill(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        self._kill()
        for end in (self._channel, self._monitor):
            if end:
                end.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _gone(self, why: str, hangs: bool = False) -> GuestGone:
        status = self._status()
        lines = [why] if status is None or status >= 0 else [f"{why}: {signal.strsignal(-status)}"]
        for words, path in (("the end of its console", self.console), ("what QEMU said", self._qemu_log)):
            try:
                text = path.read_text(errors="replace").replace("\r", "").strip()
            except OSError:
                text = ""
            lines += [f"--- {words}", *text.splitlines()[-25:]]
        if hangs and status is None:
            lines += ["--- its processors", *self._processors()]
        return GuestGone("\n".join(lines), status)

    def _processors(self) -> list[str]:
        """Of a machine that hangs: whether they are halted, and what their interrupt controllers have not delivered."""
        assert self._monitor
        self._monitor.settimeout(30)
        try:
            halted = [line for line in self.monitor("info registers -a").splitlines() if "HLT=" in line]
            return halted + [line for number in range(2) for line in self.monitor(f"info lapic {number}").splitlines()]
        except (OSError, ValueError, RuntimeError, GuestGone) as error:
            return [f"its monitor does not answer: {error}"]

    def _status(self) -> int | None:
        """Of QEMU, if it has ended; its sockets are closed a moment before."""
        self.wait_for_end(1)
        return self._process.poll() if self._process else None


def _program(emulator: Path) -> list[str]:
    """It has another C library than the host."""
    libraries, program = emulator / "libraries", emulator / "qemu-system-x86_64"
    return [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries), "--argv0", program.name, str(program),
            "-L", str(emulator / "firmware")]


def _acceleration(machine: Machine) -> list[str]:
    """KVM only where the processor can do it: a /dev/kvm without that may be there and not be able to run a stock kernel."""
    flags = set(re.findall(r"\b(?:vmx|svm)\b", Path("/proc/cpuinfo").read_text()))
    if flags and os.access("/dev/kvm", os.R_OK | os.W_OK):
        return ["-accel", "kvm,kernel-irqchip=split", "-cpu", "host"]
    # One thread for both processors: with one for each, QEMU loses interrupts for good and crashes, some times in each run of all
    # cases. Two machines at once keep two processors of ours as busy, and are no slower. Only who measures what one client takes from
    # another needs both at once.
    return ["-accel", f"tcg,thread={'multi' if machine.is_parallel else 'single'},tb-size=512", "-cpu", "max"]
