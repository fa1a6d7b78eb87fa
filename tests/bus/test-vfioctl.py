#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Getting a device back, from the command line to the holder: vfioctl as it is, the whole daemon on a fake machine, and
real processes that hold its files, on a bus of their own without polkit. TAP on standard output. Needs root.

    test-vfioctl.py VFIOCTL VFIOD MACHINE-TOOL bus|socket

Over the bus or, with no bus that vfioctl would find, through the socket: what is tested is the same.
"""

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time

from scenario import PATIENCE, Failure, expect, start_bus, wait_until

REFUSED, DENIED, UNREACHABLE, INTERRUPTED, BAD_CONFIG = 3, 4, 6, 130, 78
NOBODY = 65534

# The fake machine's group of a bridge and two devices, and its drivers.
GROUP, DEVICE, OTHER_DEVICE = "group/2", "0000:01:00.0", "0000:04:00.0"
ON_HOST, ON_VFIO = "pcieport e1000e snd_hda_intel", "pcieport vfio-pci vfio-pci"


class Process:
    """vfioctl under way; its output goes to files, so that it can be read at any time."""

    def __init__(self, world, *arguments, user=None):
        self.paths = [pathlib.Path(tempfile.mkstemp(dir=world.directory)[1]) for _ in range(2)]
        with open(self.paths[0], "wb") as out, open(self.paths[1], "wb") as err:
            self.process = subprocess.Popen([world.vfioctl, *arguments], env=world.client_environment(),
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            **({} if user is None else {"user": user, "group": user, "extra_groups": []}))
        self.pid = self.process.pid
        self.words = " ".join(arguments)
        world.processes.append(self)

    def out(self):
        return self.paths[0].read_text()

    def err(self):
        return self.paths[1].read_text()

    def wait_for(self, text):
        """For the text on one of its outputs."""
        wait_until(lambda: text in self.out() + self.err() or self.process.poll() is not None,
                   f"vfioctl {self.words} said '{text}'")
        expect(text in self.out() + self.err(), f"'{text}' is not what it said: {self.out()}{self.err()}")

    def is_running(self):
        return self.process.poll() is None

    def ends(self, status):
        try:
            ended = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"vfioctl {self.words} does not end; so far: {self.err()}") from None
        expect(ended == status, f"vfioctl {self.words} ended with {ended}, not {status}: {self.out()}{self.err()}")
        return self.out() + self.err()

    def kill(self):
        self.process.kill()
        self.process.wait()


class World:
    """The bus and, for each test, a machine and a daemon."""

    def __init__(self, vfioctl, vfiod, machine_tool, transport):
        self.vfioctl, self.vfiod_path, self.machine_tool = vfioctl, vfiod, machine_tool
        self.transport = transport
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vfioctl-", dir="/tmp"))
        self.bus, self.socket = self.directory / "bus", self.directory / "socket"
        self.log = self.directory / "vfiod.log"
        self.machine = None
        self.machines = 0
        self.processes = []
        self.dbus = self.vfiod = None

    def environment(self):
        """Of vfiod, which is at both."""
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.bus}", "LC_ALL": "C",
                "FAKE_MACHINE": str(self.machine), "COLUMNS": "200"}

    def client_environment(self):
        """Of vfioctl, which finds one of them."""
        found = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus", "VFIOD_SOCKET": str(self.socket)}
        return self.environment() | (found if self.transport == "socket" else {"VFIOD_SOCKET": "/nonexistent/socket"})

    def start_bus(self):
        self.dbus = start_bus(self.directory)

    def start_vfiod(self):
        self.machines += 1
        self.machine = self.directory / f"machine-{self.machines}"
        self.machine.mkdir()
        subprocess.run([self.machine_tool, "build"], env=self.environment(), check=True)
        configuration = self.directory / "config"
        configuration.mkdir(exist_ok=True)
        (configuration / "vfiod.json").write_text(json.dumps(
            {"revoke": {"timeout_ms": 1000, "sigbus_grace_ms": 500, "sigkill_grace_ms": 5000}, "unsafe_noiommu": True}))
        with open(self.log, "wb") as log:
            self.vfiod = subprocess.Popen([self.vfiod_path, "--config", configuration, "--socket", self.socket],
                                          env=self.environment(), stderr=log)
        wait_until(lambda: self.vfiod.poll() is not None or self.is_there(), "vfiod was there")
        expect(self.vfiod.poll() is None, "vfiod ended at once")

    def is_there(self):
        return subprocess.run([self.vfioctl, "leases"], env=self.client_environment(), check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def names_on_the_bus(self):
        """The unique ones."""
        said = subprocess.run(["dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames"],
                              env=self.environment(), stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
        return [line.split('"')[1] for line in said.splitlines() if '":' in line]

    def begin(self, *arguments):
        return Process(self, *arguments)

    def call(self, *arguments, status=0):
        """What it said, all of it."""
        return self.begin(*arguments).ends(status)

    def call_as_nobody(self, *arguments, status=0):
        return Process(self, *arguments, user=NOBODY).ends(status)

    def hold(self, *command):
        """A process that has the files of the group, under a lease; "READY" is its first word."""
        holder = self.begin("exec", "--label", "holder", GROUP, "--", *command)
        holder.wait_for("READY")
        return holder

    def expect_drivers(self, expected):
        devices = json.loads(self.call("list", "--json", GROUP))["Devices"]
        drivers = " ".join(device["Driver"] for device in devices)
        expect(drivers == expected, f"the drivers are {drivers}")

    def lease_state(self):
        leases = json.loads(self.call("leases", "--json"))
        return leases[0]["State"] if leases else "none"

    def end_test(self):
        for process in self.processes:
            process.kill()
        self.processes.clear()
        self.stop_vfiod()

    def stop_vfiod(self):
        if not self.vfiod:
            return
        self.vfiod.terminate()
        try:
            status = self.vfiod.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.vfiod.kill()
            status = self.vfiod.wait()
        self.vfiod = None
        expect(status == 0, f"vfiod ended with {status}")

    def end(self):
        for process in (self.vfiod, self.dbus):
            if process:
                process.kill()
                process.wait()
        subprocess.run(["rm", "-rf", self.directory], check=False)


# Programs that hold. What they got is inherited.
HOLDER = ("sh", "-c", "echo READY; exec sleep 1000")
DEAF_HOLDER = ("sh", "-c", "trap '' BUS; echo READY; while :; do sleep 0.1; done")
# lease_fd is where it reads: it gives back when a byte comes.
POLITE_HOLDER = ("sh", "-c", "echo READY; exec head -c 1 <&$VFIOD_LEASE_FD >/dev/null")

TESTS = []


def test(sentence):
    def decorate(function):
        TESTS.append((sentence, function))
        return function
    return decorate


@test("what nobody holds is said to be so")
def nobody(w):
    said = w.call("holders", GROUP)
    expect(said == f"nobody has {GROUP} open or mapped\n", said)


@test("a holder is listed with its lease and all its files")
def listed(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    said = w.call("holders", GROUP)
    expect(said.startswith("PID "), said)
    for part in (f"{holder.pid} ", "lease/1", "container (fd ", "group 2 (fd ", f"device {DEVICE} (fd ", "lease 1 (fd "):
        expect(part in said, f"'{part}' is not in: {said}")
    alone = w.call("holders", "0000:01:00.1")
    expect(DEVICE not in alone and "device 0000:01:00.1" in alone, alone)


@test("unbind refuses at once and says who holds")
def refused(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    said = w.call("unbind", GROUP, status=REFUSED)
    expect(f"pid {holder.pid} " in said and "Error.Leased" in said, said)
    w.expect_drivers(ON_VFIO)


@test("unbind --wait that ends in time changes nothing, and the lease is held as before")
def wait_over(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    said = w.call("unbind", "--wait=1", GROUP, status=REFUSED)
    expect(f"waiting for pid {holder.pid} " in said, said)
    expect("Error.StillHeld" in said, said)
    expect(holder.is_running(), "the holder was ended")
    expect(w.lease_state() == "held", f"the lease is {w.lease_state()}")
    w.expect_drivers(ON_VFIO)


@test("unbind --wait unbinds when the holder goes, and does not say more than it must")
def wait_done(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    waiting = w.begin("unbind", "--wait", GROUP)
    waiting.wait_for(f"waiting for pid {holder.pid} ")
    time.sleep(2.2)
    expect(waiting.err().count("\n") == 1, f"more than one line: {waiting.err()}")
    holder.kill()
    waiting.ends(0)
    w.expect_drivers(ON_HOST)


@test("while it waits the lease is releasing, and nobody else is given the group")
def busy(w):
    w.call("bind", GROUP)
    w.hold(*HOLDER)
    waiting = w.begin("unbind", "--wait=60", GROUP)
    waiting.wait_for("waiting for pid ")
    # The holders are listed as soon as they are known, which may be before the unbind has begun.
    wait_until(lambda: w.lease_state() == "releasing", "the lease was being released")
    said = w.call("leases")
    expect("  releasing, " in said and " s left" in said, said)
    expect("Error.Busy" in w.call("acquire", GROUP, status=REFUSED), "it was not refused as busy")


@test("a pipe that nobody reads any more does not end vfiod")
def broken_pipe(w):
    w.vfiod.send_signal(signal.SIGPIPE)
    w.call("leases")
    expect(w.vfiod.poll() is None, "vfiod has ended")


@test("an interrupt ends the wait with status 130, and nothing is touched")
def interrupted(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    waiting = w.begin("unbind", "--wait", GROUP)
    waiting.wait_for("waiting for pid ")
    waiting.process.send_signal(signal.SIGINT)
    said = waiting.ends(INTERRUPTED)
    expect("stopped waiting; nothing was changed" in said, said)
    wait_until(lambda: w.lease_state() == "held", "the lease was held again")
    expect(holder.is_running(), "the holder was ended")
    w.expect_drivers(ON_VFIO)


@test("a holder that reads lease_fd is asked by it, and gives back")
def polite(w):
    w.call("bind", GROUP)
    w.hold(*POLITE_HOLDER)
    w.call("unbind", "--wait=30", GROUP)
    w.expect_drivers(ON_HOST)


@test("vfioctl acquire gives back what is asked for, and says who asked")
def acquire(w):
    w.call("bind", GROUP)
    holder = w.begin("acquire", GROUP)
    holder.wait_for("lease ")
    w.call("unbind", "--wait=30", GROUP)
    said = holder.ends(1)
    expect("back: " in said and "uid 0" in said and "; given back" in said, said)


@test("unbind --revoke ends a holder that does not give back, and unbinds")
def revoke(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    said = w.call("unbind", "--revoke=1", GROUP)
    expect(f"waiting for pid {holder.pid} " in said, said)
    holder.ends(-signal.SIGBUS)
    w.expect_drivers(ON_HOST)


@test("unbind --revoke, with the time of the configuration, ends also a holder that ignores SIGBUS")
def revoke_deaf(w):
    w.call("bind", GROUP)
    holder = w.hold(*DEAF_HOLDER)
    w.call("unbind", "--revoke", GROUP)
    holder.ends(-signal.SIGKILL)
    w.expect_drivers(ON_HOST)


@test("unbind --dry-run --revoke tells the steps and takes none")
def dry_run(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    said = w.call("unbind", "--dry-run", "--revoke", GROUP)
    expect(said.startswith("1. ") and "SIGBUS" in said, said)
    expect(holder.is_running(), "the holder was ended")
    expect(w.lease_state() == "held", f"the lease is {w.lease_state()}")


@test("every verb that looks, looks")
def verbs(w):
    expect(DEVICE in w.call("list"), "list")
    expect("e1000e" in w.call("show", DEVICE), "show")
    expect("bind" in w.call("explain", GROUP, status=1), "explain")
    expect("lease/" not in w.call("leases"), "leases")
    w.call("bind", GROUP)
    expect("bar0" in w.call("inspect", DEVICE), "inspect")
    expect("-device" in w.call("qemu-args", DEVICE), "qemu-args")


@test("explain names no remedy that is refused, and a group of bridges has nothing to acquire")
def explain_remedies(w):
    chipset = w.call("explain", "0000:00:1f.2", status=1)
    expect("group/1: cannot be acquired" in chipset and "vfioctl bind" not in chipset, chipset)
    expect("use a device of another group" in chipset, chipset)
    refusal = w.call("acquire", "0000:00:1f.2", status=REFUSED)
    expect("part of the host's chipset" in refusal and "vfioctl bind" not in refusal, refusal)
    bridges = w.call("explain", "group/0", status=1)
    expect("group/0: has only bridges; there is nothing to acquire" in bridges, bridges)
    expect("group/0  only bridges" in w.call("list", "group/0"), "list")
    w.call("bind", GROUP)
    expect("can be acquired" in w.call("explain", GROUP), "a bound group")
    w.call("explain", GROUP, "group/0", status=1)


@test("a lease that is not there and a group where a device is wanted are named as they were typed")
def names(w):
    for words in (("release", "99"), ("add", "99", GROUP), ("remove", "lease/99", GROUP)):
        said = w.call(*words, status=REFUSED)
        expect("there is no lease 99; see 'vfioctl leases'" in said, said)
    for words in (("vfs", GROUP), ("vfs", GROUP, "1"), ("reset", GROUP), ("mdev", "remove", GROUP)):
        said = w.call(*words, status=REFUSED)
        expect(f"'{GROUP}' is a group; name a device of it" in said, said)


def check_config(w, directory, **environment):
    done = subprocess.run([w.vfiod_path, "--check-config", "--config", directory], env=w.environment() | environment,
                          capture_output=True, text=True)
    expect(done.stdout == "", done.stdout)
    return done.returncode, done.stderr


@test("a configuration that is asked for by name and is not there is none, and the words for people have no prefix")
def configuration(w):
    there, bad = w.directory / "config", w.directory / "bad"
    bad.mkdir(exist_ok=True)
    (bad / "vfiod.json").write_text('{ "no": 1 }')
    expect(check_config(w, there) == (0, ""), check_config(w, there))
    status, said = check_config(w, "/nonexistent")
    expect(status == BAD_CONFIG and said == "/nonexistent: No such file or directory\n", f"{status}, {said}")
    status, said = check_config(w, there / "vfiod.json")
    expect(status == BAD_CONFIG and "Not a directory" in said, f"{status}, {said}")
    status, said = check_config(w, bad, JOURNAL_STREAM="1:2")
    expect(status == BAD_CONFIG and said.startswith(f"{bad}/vfiod.json:1: no: "), f"{status}, {said}")
    daemon = subprocess.run([w.vfiod_path, "--config", "/nonexistent"], env=w.environment(), capture_output=True, text=True)
    expect(daemon.returncode == BAD_CONFIG and daemon.stderr == "<3>/nonexistent: No such file or directory\n", daemon)


@test("words that go to the journal have its prefix, also those of --check-config")
def configuration_in_the_journal(w):
    bad, log = w.directory / "bad", w.directory / "journal"
    bad.mkdir(exist_ok=True)
    (bad / "vfiod.json").write_text('{ "no": 1 }')
    with open(log, "wb") as journal:
        inode = os.fstat(journal.fileno())
        subprocess.run([w.vfiod_path, "--check-config", "--config", bad], stderr=journal,
                       env=w.environment() | {"JOURNAL_STREAM": f"{inode.st_dev}:{inode.st_ino}"})
    expect(log.read_text().startswith(f"<3>{bad}/vfiod.json:1: no: "), log.read_text())


@test("a device without an IOMMU is shown as one, and so is its lease")
def no_iommu(w):
    nic = "0000:0b:00.0"
    subprocess.run([w.machine_tool, "no-iommu", nic, "20"], env=w.environment(), check=True)
    expect("has no IOMMU" in w.call("explain", nic), "explain")
    expect("group/20  bound  no-iommu" in w.call("list", nic), "list")
    holder = w.begin("exec", nic, "--", *HOLDER)
    holder.wait_for("READY")
    expect("20 (no IOMMU)" in w.call("leases"), w.call("leases"))


@test("exec hands its files on, and the lease ends with the program")
def execute(w):
    w.call("bind", GROUP)
    w.call("exec", GROUP, "--", "sh", "-c", "readlink /proc/self/fd/$0 /proc/self/fd/$1", "{container}", "{lease}")
    wait_until(lambda: w.lease_state() == "none", "the lease was over")


@test("groups are added to a lease and removed, and it is released")
def add(w):
    w.call("bind", GROUP)
    holder = w.hold(*HOLDER)
    w.call("add", "--bind", "1", OTHER_DEVICE)
    w.call("remove", "1", OTHER_DEVICE)
    w.call("release", "1")
    holder.kill()
    w.call("unbind", "--wait=30", GROUP, OTHER_DEVICE)


@test("monitor shows what changes, and that the daemon has stopped")
def monitor(w):
    watching = w.begin("monitor")
    watching.wait_for("watching")
    w.call("bind", GROUP)
    # What is sent to a connection it gets, whatever it has asked for.
    for name in w.names_on_the_bus():
        subprocess.run(["dbus-send", "--system", "--type=signal", f"--dest={name}", "/org/vfiod1",
                        "org.freedesktop.DBus.ObjectManager.InterfacesRemoved", "objpath:/org/vfiod1/lease/99",
                        "array:string:org.vfiod1.Lease"], env=w.environment(), check=True)
    w.call("exec", GROUP, "--", "true")
    for text in (f"device/{DEVICE} ", "vfio-pci", "lease/1 added", "lease/1 removed"):
        watching.wait_for(text)
    expect("lease/99" not in watching.out(), "somebody else was taken for vfiod")
    w.stop_vfiod()
    watching.wait_for("/org/vfiod1 stopped")
    if w.transport == "socket":
        expect("vfiod closed the connection" in watching.ends(UNREACHABLE), watching.err())
    else:
        expect(watching.is_running(), "monitor ended")


def begin_hanging_bind(w):
    """And the file that it hangs by."""
    fault = w.machine / "faults" / f"bind {DEVICE}"
    fault.parent.mkdir(exist_ok=True)
    fault.write_text("0")
    binding = w.begin("bind", GROUP)
    wait_until(lambda: (fault.parent / "waiting").exists(), "the bind hung")
    return binding, fault


@test("vfiod that is told to end finishes what is under way first")
def told_to_end(w):
    binding, fault = begin_hanging_bind(w)
    w.vfiod.terminate()
    time.sleep(0.2)
    expect(w.vfiod.poll() is None, "it did not wait")
    fault.unlink()
    binding.ends(0)
    w.stop_vfiod()


@test("vfiod that is told to end again waits for nothing")
def told_to_end_again(w):
    binding, fault = begin_hanging_bind(w)

    def tell():
        w.vfiod.terminate()
        return w.vfiod.poll() is not None

    wait_until(tell, "vfiod ended")
    fault.unlink()
    binding.ends(UNREACHABLE)
    w.stop_vfiod()


@test("--socket reaches vfiod also where there is a bus")
def socket_besides_bus(w):
    w.call(f"--socket={w.socket}", "bind", GROUP)
    w.expect_drivers(ON_VFIO)


@test("a socket that is for others only names the group that it is for")
def socket_of_others(w):
    expect(stat.S_IMODE(w.socket.stat().st_mode) & 0o7 == 0, "it is for everybody")
    os.chmod(w.directory, 0o711)
    said = w.call_as_nobody(f"--socket={w.socket}", "list", status=DENIED)
    expect("is for root and members of the group vfio [org.freedesktop.DBus.Error.AccessDenied]" in said, said)


@test("without a daemon behind the bus the socket comes to mind, without one behind the socket its unit")
def no_daemon(w):
    w.stop_vfiod()
    said = w.call("list", status=UNREACHABLE)
    expect(("vfiod.socket" if w.transport == "socket" else "--socket") in said, said)


def run(world):
    world.start_bus()
    for number, (sentence, function) in enumerate(TESTS, 1):
        complaint = None
        try:
            world.start_vfiod()
            function(world)
        except Failure as failure:
            complaint = str(failure)
        try:
            world.end_test()
        except Failure as failure:
            complaint = complaint or str(failure)
        print(f"{'not ok' if complaint else 'ok'} {number} - {sentence}", flush=True)
        if complaint:
            for line in (complaint + "\n" + world.log.read_text(errors="replace")).splitlines()[-30:]:
                print(f"# {line}", flush=True)
    print(f"1..{len(TESTS)}")


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root: without polkit vfiod obeys nobody else")
        return
    world = World(*[os.path.abspath(path) for path in sys.argv[1:4]], sys.argv[4])
    try:
        run(world)
    except Failure as failure:
        print(f"Bail out! {failure}")
    finally:
        world.end()


if __name__ == "__main__":
    main()
