#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole daemon at its socket, with a system bus, without one, and when the bus goes: on a fake machine, with libdbus's own
client at the other end. TAP on standard output. Needs root.

    test-socket.py FAKE_VFIOD BUS_CALL MACHINE_TOOL
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

from scenario import PATIENCE, Failure, expect, is_listening, start_bus, wait_until


class World:
    """A machine, a daemon on it, and perhaps a bus."""

    def __init__(self, vfiod, bus_call, machine_tool):
        self.programs = {"vfiod": vfiod, "bus-call": bus_call, "machine-tool": machine_tool}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vfiod-socket-", dir="/tmp"))
        self.socket = self.directory / "socket"
        self.machine = self.directory / "machine"
        self.bus = self.vfiod = None
        self.environment = {**os.environ, "FAKE_MACHINE": str(self.machine), "ASAN_OPTIONS": "detect_leaks=0",
                            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.directory}/bus"}
        self.machine.mkdir()
        (self.directory / "config").mkdir()
        subprocess.run([machine_tool, "build"], env=self.environment, check=True)

    def start_bus(self):
        self.bus = start_bus(self.directory)

    def stop_bus(self):
        self.bus.kill()
        self.bus.wait()
        self.bus.stdout.close()
        self.bus = None

    def start_vfiod(self, *arguments):
        self.vfiod = subprocess.Popen([self.programs["vfiod"], "--config", self.directory / "config", *arguments],
                                      env=self.environment, stderr=subprocess.PIPE)

    def start_vfiod_activated(self, name):
        """As systemd does: a socket that listens as file 3, and what it is called. A second file is not vfiod's."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.socket))
        listener.listen(8)
        other = os.open("/dev/null", os.O_RDONLY)
        command = ('eval "exec 10<&$0 11<&$1 3<&10 4<&11"; export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES="$2:state"; '
                   'shift 2; exec "$@"')
        self.vfiod = subprocess.Popen(
            ["bash", "-c", command, str(listener.fileno()), str(other), name, self.programs["vfiod"], "--config",
             self.directory / "config"],
            env=self.environment, pass_fds=(listener.fileno(), other), stderr=subprocess.PIPE)
        listener.close()
        os.close(other)

    def wait_for_socket(self):
        wait_until(lambda: is_listening(self.socket), "vfiod listened at its socket")

    def call(self, *arguments, on_socket=True):
        command = [self.programs["bus-call"], *(["--socket", self.socket] if on_socket else []), *arguments]
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, encoding="utf-8", check=False)
        lines = done.stdout.splitlines()
        return lines[1] if len(lines) > 1 else f"no answer, status {done.returncode}"

    def dbus_send(self):
        command = ["dbus-send", f"--peer=unix:path={self.socket}", "--print-reply", "--reply-timeout=20000",
                   "/org/vfiod1", "org.vfiod1.Manager.ListGroups"]
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode

    def end(self):
        for process in (self.vfiod, self.bus):
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


TESTS = []


def test(sentence):
    def decorate(function):
        TESTS.append((sentence, function))
        return function
    return decorate


@test("dbus-send, which sends its call with the end of authentication, is answered each time")
def dbus_send(w):
    w.start_vfiod("--socket", w.socket)
    w.wait_for_socket()
    for i in range(30):
        expect(w.dbus_send() == 0, f"call {i + 1} was not answered")


@test("without a system bus vfiod goes on at its socket, for root alone")
def no_bus(w):
    w.start_vfiod("--socket", w.socket)
    w.wait_for_socket()
    w.socket.chmod(0o666)
    w.directory.chmod(0o755)
    expect(w.call("ListGroups").startswith("done"), "root was refused")
    answer = w.call("--uid", "2", "ListGroups")
    expect("AccessDenied without the system bus there is no polkit to ask" in answer, answer)


@test("without a system bus and without a socket vfiod does not start")
def nothing(w):
    w.start_vfiod()
    expect(w.vfiod.wait(PATIENCE) == 1, "it has started")
    expect(b"system bus" in w.vfiod.stderr.read(), "it did not say why")


@test("when the system bus goes, vfiod goes on at its socket, and without one it ends")
def bus_goes(w):
    w.start_bus()
    w.start_vfiod("--socket", w.socket)
    w.wait_for_socket()
    wait_until(lambda: w.call("ListGroups", on_socket=False).startswith("done"), "vfiod was on the bus")
    w.stop_bus()
    expect(w.call("ListGroups").startswith("done"), "root was refused")
    w.vfiod.terminate()
    expect(w.vfiod.wait(PATIENCE) == 0, "it did not end well")
    expect(not w.socket.exists(), "its socket was left behind")
    w.start_bus()
    w.start_vfiod()
    wait_until(lambda: w.call("ListGroups", on_socket=False).startswith("done"), "vfiod was on the bus")
    w.stop_bus()
    expect(w.vfiod.wait(PATIENCE) == 1, "it went on for nobody")


@test("systemd's socket is known by its name, and stays when vfiod ends")
def activated(w):
    w.start_vfiod_activated("socket")
    expect(w.call("ListGroups").startswith("done"), "root was refused")
    w.vfiod.terminate()
    expect(w.vfiod.wait(PATIENCE) == 0, "it did not end well")
    expect(w.socket.exists(), "systemd's socket was removed")


@test("a socket of another name is left alone")
def other_name(w):
    w.start_vfiod_activated("other")
    expect(w.vfiod.wait(PATIENCE) == 1, "it has started without a bus and without a socket of its own")


@test("without systemd the next vfiod knows by --state what devices were before")
def state(w):
    driver = w.machine / "sys/bus/pci/devices/0000:01:00.0/driver"
    before = os.readlink(driver)
    override = w.machine / "sys/bus/pci/devices/0000:01:00.0/driver_override"
    override.write_text("e1000e\n")
    (w.directory / "state").mkdir()
    for member in ("Bind", "Unbind"):
        w.start_vfiod("--socket", w.socket, "--state", w.directory / "state")
        w.wait_for_socket()
        answer = w.call(member, "group/2")
        expect(answer.startswith("done"), answer)
        expect((os.readlink(driver) == before) == (member == "Unbind"), f"after {member} the driver is {os.readlink(driver)}")
        wanted = "e1000e" if member == "Unbind" else "vfio-pci"
        expect(override.read_text().strip() == wanted, f"after {member} driver_override is {override.read_text()}")
        w.vfiod.terminate()
        expect(w.vfiod.wait(PATIENCE) == 0, "it did not end well")


@test("with a --state that is not there vfiod does not start")
def no_state(w):
    w.start_vfiod("--socket", w.socket, "--state", w.directory / "nowhere")
    expect(w.vfiod.wait(PATIENCE) == 1, "it has started")
    expect(b"nowhere: No such file or directory" in w.vfiod.stderr.read(), "it did not say why")


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root, for users")
        return
    for i, (sentence, function) in enumerate(TESTS, 1):
        world, complaint = World(*map(os.path.abspath, sys.argv[1:])), None
        try:
            function(world)
        except Failure as failure:
            complaint = str(failure)
        world.end()
        print(f"{'not ok' if complaint else 'ok'} {i} - {sentence}", flush=True)
        if complaint:
            print(f"# {complaint}")
    print(f"1..{len(TESTS)}")


main()
