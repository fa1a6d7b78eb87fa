# SPDX-License-Identifier: LGPL-2.1-or-later
"""A system bus of its own, with the whole daemon on a fake machine, Debian's dbus-daemon with the policy that vfiod installs,
and the real polkitd with vfiod's actions and given rules, no polkit, or a scripted one. For the tests of who may do what, which
need root for it, for users and a mount namespace.
"""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from scenario import PATIENCE, Failure, expect, is_listening, start_bus, wait_until, write_bus_config

POLKITD = "/usr/lib/polkit-1/polkitd"
POLKIT_NAME = "org.freedesktop.PolicyKit1"
POLKIT_BUS_POLICY = "/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf"
NAMESPACE_MARK = "VFIOD_TEST_NAMESPACE"

ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
INTERACTIVE = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
OURS = "org.vfiod1.Error."

BUS_POLICY = """  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
  </policy>
  <include>{polkit}</include>
  <include>{vfiod}</include>
  <policy user="root">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Debug.Stats"/>
  </policy>
  {more}
"""


def uid_of(user):
    return pwd.getpwnam(user).pw_uid


class Outcome:
    """What a call came to: "done" with its text, or the error's name and sentence."""

    def __init__(self, line):
        kind, _, rest = line.rstrip("\n").partition(" ")
        self.done = kind == "done"
        self.name, _, self.text = (None, None, rest) if self.done else rest.partition(" ")
        self.line = line.rstrip("\n")

    def expect_done(self, text=""):
        expect(self.done and text in self.text, f"'done ... {text}' was expected, not '{self.line}'")
        return self

    def expect_error(self, name, *parts):
        expect(not self.done and self.name == name, f"{name} was expected, not '{self.line}'")
        for part in parts:
            expect(part in self.text, f"the sentence does not say '{part}': {self.text}")
        return self

    def expect_refusal(self, word, *parts):
        return self.expect_error(OURS + word, *parts)


class Call:
    """A client under way, as a process of its own."""

    def __init__(self, world, user, member, *targets, lease=None, device=None, operation=None, options=None,
                 interactive=False, hold=False, unread=0, fill=False, signature=None, path="/org/vfiod1",
                 interface="org.vfiod1.Manager", socket=None):
        command = [world.program("bus-call"), "--uid", str(uid_of(user))]
        command += ["--interactive"] * interactive + ["--hold"] * hold
        command += ["--unread", str(unread)] if unread else []
        command += ["--fill"] * fill
        command += ["--lease", lease] if lease else []
        command += ["--device", device] if device else []
        command += ["--operation", operation] if operation else []
        for name, value in (options or {}).items():
            command += ["--option", f"{name}={value}"]
        if signature is not None:
            command += ["--path", path, "--interface", interface, "--signature", signature]
            targets = [json.dumps(targets)]
        command += ["--socket", world.socket] * (world.on_socket if socket is None else socket)
        self.process = subprocess.Popen(command + [member, *targets], env=world.client_environment(),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        world.calls.append(self)

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def name(self):
        wait_until(lambda: self.lines, "a client connected")
        return self.lines[0].split()[1]

    def is_answered(self):
        return len(self.lines) > 1

    def outcome(self):
        wait_until(lambda: self.is_answered() or self.process.poll() not in (None, 0), "a call was answered")
        expect(self.is_answered(), "the client has failed")
        return Outcome(self.lines[1])

    def leave(self):
        """Dies, and with it its connection and its files."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


class Client:
    """One connection of a user's, for calls of any method one after the other."""

    def __init__(self, world, user, socket=False, interactive=False):
        command = [world.program("bus-call"), "--uid", str(uid_of(user)), "--batch"]
        command += ["--interactive"] * interactive + ["--socket", world.socket] * socket
        self.process = subprocess.Popen(command, env=world.client_environment(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, encoding="utf-8")
        expect(self.process.stdout.readline().startswith("name "), f"{user} was not connected")

    def call(self, path, interface, member, signature, arguments):
        line = [path, interface, member, signature, json.dumps(arguments)]
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return Outcome(self.process.stdout.readline())

    def leave(self):
        self.process.kill()
        self.process.communicate()


class Agent:
    """tests/lab/guest/polkit-agent.c, for a client; and what it was asked."""

    def __init__(self, world, client, answer):
        self.process = subprocess.Popen([world.program("polkit-agent"), str(client.process.pid), answer],
                                        env=world.environment(), stdout=subprocess.PIPE, encoding="utf-8")
        expect(self.process.stdout.readline() == "ready\n", "there is no agent")
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def end(self):
        self.process.kill()
        self.process.wait()


class ScriptedPolkit:
    """tests/bus/scripted-polkit.c, and what it was asked."""

    def __init__(self, world):
        self.process = subprocess.Popen([world.program("scripted-polkit")], env=world.client_environment(),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self.lines = []
        self.oks = 0
        threading.Thread(target=self.read, daemon=True).start()
        wait_until(lambda: self.oks == 1, "the scripted polkit was ready")

    def read(self):
        for line in self.process.stdout:
            if line == "ok\n":
                self.oks += 1
            else:
                self.lines.append(line.rstrip("\n"))

    def tell(self, *commands):
        for command in commands:
            before = self.oks
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
            wait_until(lambda: self.oks > before, f"the scripted polkit took '{command}'")

    def sync(self):
        """What it has written by now is read; nothing more comes of one that has died."""
        if self.process.poll() is None:
            self.tell("sync")

    def checks(self):
        """(id, action, subject, flags, details) of each question so far."""
        self.sync()
        return [tuple(line.split(" ", 5)[1:]) for line in list(self.lines) if line.startswith("check ")]

    def cancels(self):
        self.sync()
        return [line.split()[1] for line in list(self.lines) if line.startswith("cancel ")]

    def end(self):
        self.process.kill()
        self.process.wait()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass


class World:
    """The bus and, for each test, a machine and a daemon."""

    def __init__(self, programs, source):
        self.programs = programs
        self.source = pathlib.Path(source)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vfiod-authorise-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.address = f"unix:path={self.directory}/bus"
        self.log = self.directory / "vfiod.log"
        self.machine = self.directory / "machine"
        self.socket = self.directory / "socket"
        # Where calls go that do not say.
        self.on_socket = False
        self.calls = []
        self.vfiod = self.dbus = self.polkitd = self.polkit = None
        self.mounts = []
        self.config = {}

    def program(self, name):
        return self.programs[name]

    def environment(self):
        return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address, "FAKE_MACHINE": str(self.machine)}

    def client_environment(self):
        # The leak checker cannot look into a process that has changed its user.
        return {**self.environment(), "ASAN_OPTIONS": "detect_leaks=0"}

    def bus_policy(self, more=""):
        return BUS_POLICY.format(polkit=POLKIT_BUS_POLICY, vfiod=self.source / "systemd/org.vfiod1.conf", more=more)

    def start_bus(self):
        self.dbus = start_bus(self.directory, self.bus_policy())

    @contextlib.contextmanager
    def bus_that(self, more):
        """What is in the bus's configuration meanwhile, also for connections that there are."""
        write_bus_config(self.directory, self.bus_policy(more))
        self.ask_bus("ReloadConfig")
        try:
            yield
        finally:
            write_bus_config(self.directory, self.bus_policy())
            self.ask_bus("ReloadConfig")

    def wait_for_name(self, name):
        done = subprocess.run([self.program("bus-call"), "--wait", name], env=self.client_environment(),
                              stdout=subprocess.DEVNULL, check=False)
        expect(done.returncode == 0, f"nobody has taken the name {name}")

    def ask_bus(self, member, *names):
        """What the bus says about a name, as root."""
        return subprocess.run(["dbus-send", f"--bus={self.address}", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                               f"org.freedesktop.DBus.{member}", *(f"string:{name}" for name in names)], stdout=subprocess.PIPE, encoding="utf-8",
                              check=True).stdout

    def has_name(self, name):
        return "true" in self.ask_bus("NameHasOwner", name)

    def bus_stat(self, what, name):
        """A number that the bus has counted of a connection."""
        said = re.search(rf"{what}\s+variant\s+uint32 (\d+)", self.ask_bus("Debug.Stats.GetConnectionStats", name))
        expect(said, f"the bus does not tell {what} of {name}")
        return int(said.group(1))

    def start_polkitd(self, rules):
        """The real one, with our action file and these rules and no others, in this mount namespace."""
        actions, package_rules = self.directory / "actions", self.directory / "package-rules"
        for directory in (actions, package_rules, self.directory / "rules"):
            directory.mkdir()
            directory.chmod(0o755)
        shutil.copy(self.source / "polkit/org.vfiod1.policy", actions)
        for name, text in rules.items():
            (self.directory / "rules" / name).write_text(text)
        for ours, theirs in ((actions, "/usr/share/polkit-1/actions"),
                             (package_rules, "/usr/share/polkit-1/rules.d"),
                             (self.directory / "rules", "/etc/polkit-1/rules.d")):
            subprocess.run(["mount", "--bind", ours, theirs], check=True)
            self.mounts.append(theirs)
        self.polkitd = subprocess.Popen([POLKITD, "--no-debug"], env=self.environment())
        self.wait_for_name(POLKIT_NAME)

    def stop_polkitd(self):
        self.polkitd.terminate()
        self.polkitd.wait()
        self.polkitd = None

    def tool(self, *arguments):
        subprocess.run([self.program("machine-tool"), *arguments], env=self.client_environment(), check=True)

    def write_config(self, config):
        directory = self.directory / "config"
        directory.mkdir(exist_ok=True)
        (directory / "vfiod.json").write_text(json.dumps(config))
        return directory

    def reload(self, config):
        """Another configuration, until the end of the test."""
        self.write_config(config)
        self.vfiod.send_signal(signal.SIGHUP)
        wait_until(lambda: "has been read again" in self.log.read_text(errors="replace"), "the configuration was read again")

    def start_vfiod(self, bus=True):
        """On a machine as new, on the bus and at a socket that everybody may connect to; or at the socket alone."""
        shutil.rmtree(self.machine, ignore_errors=True)
        self.machine.mkdir()
        self.tool("build")
        configuration = self.write_config(self.config)
        environment = self.environment()
        if not bus:
            environment["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={self.directory}/no-bus"
        with open(self.log, "wb") as log:
            self.vfiod = subprocess.Popen([self.program("fake-vfiod"), "--config", configuration, "--socket", self.socket],
                                          env=environment, stderr=log)
        if bus:
            self.wait_for_name("org.vfiod1")
        wait_until(lambda: is_listening(self.socket), "vfiod listened")
        # Whoever can connect is asked about: that nobody else can is systemd's doing.
        self.socket.chmod(0o666)

    def stop_vfiod(self):
        """It must end by itself and well: with sanitisers, also without a leak."""
        self.vfiod.terminate()
        try:
            status = self.vfiod.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.vfiod.kill()
            self.vfiod.wait()
            status = "nothing: it did not stop"
        self.vfiod = None
        expect(status == 0, f"vfiod ended with {status}")

    def begin(self, *arguments, **options):
        return Call(self, *arguments, **options)

    def call(self, *arguments, **options):
        call = self.begin(*arguments, **options)
        outcome = call.outcome()
        if not options.get("hold"):
            call.leave()
        return outcome

    def hold(self, user, *targets, **options):
        """A lease: the call that holds it, and its path."""
        call = self.begin(user, "Acquire", *targets, hold=True, **options)
        return call, call.outcome().expect_done().text.split()[0]

    def expect_subject(self, subject, call, user):
        """What polkit was told of the caller. A pidfd is written as the number of the process that it is of."""
        wanted = f"system-bus-name,name={call.name()}"
        if self.on_socket:
            start = pathlib.Path(f"/proc/{call.process.pid}/stat").read_text().rpartition(")")[2].split()[19]
            wanted = (f"unix-process,pid={call.process.pid},start-time={start},uid={uid_of(user)},"
                      f"pidfd={call.process.pid}")
        expect(subject == wanted, f"polkit was asked about {subject}, not about {wanted}")

    def count_logged(self, words):
        """How often vfiod has said so, in the journal or on standard error (fake-journal-log.c)."""
        return self.log.read_text(errors="replace").count(words)

    def kernel_calls(self):
        path = self.machine / "calls"
        return path.read_text() if path.exists() else ""

    def expect_untouched(self):
        expect(self.kernel_calls() == "", f"this was done to the machine: {self.kernel_calls()}")

    def worker_niceness(self):
        """How nice (sched(7)) each worker of vfiod's is."""
        workers = pathlib.Path(f"/proc/{self.vfiod.pid}/task/{self.vfiod.pid}/children").read_text().split()
        return [os.getpriority(os.PRIO_PROCESS, int(pid)) for pid in workers]

    def count_files(self):
        return len(os.listdir(f"/proc/{self.vfiod.pid}/fd"))

    def count_files_at_rest(self):
        """When vfiod has closed what it had for those who have just left."""
        counts = [-1]

        def rests():
            counts.append(self.count_files())
            time.sleep(0.5)
            return counts[-1] == counts[-2]

        wait_until(rests, "vfiod closed and opened nothing")
        return counts[-1]

    def end_test(self):
        for call in self.calls:
            call.leave()
        self.calls.clear()
        if self.vfiod:
            self.stop_vfiod()

    def end(self):
        for process in (self.vfiod, self.polkitd, self.dbus):
            if process:
                process.kill()
                process.wait()
        if self.polkit:
            self.polkit.end()
        # Another test program may have mounted the same where these are seen outside (enter_namespace()).
        for path in self.mounts:
            subprocess.run(["umount", path], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)


def enter_namespace():
    """Runs this program again with mounts of its own. The root of a chroot is no mount, and cannot be made private;
    what is mounted below it may then be seen outside, until it is unmounted at the end."""
    command = ["unshare", "--mount"]
    if subprocess.run([*command, "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        command += ["--propagation", "unchanged"]
    os.environ[NAMESPACE_MARK] = "1"
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def run_as_root(source, programs, run):
    """The end of a test program: run(world), as TAP needs it."""
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root, for users and a mount namespace")
        return
    if NAMESPACE_MARK not in os.environ:
        enter_namespace()
    for path in (POLKITD, POLKIT_BUS_POLICY):
        if not os.path.exists(path):
            print(f"1..1\nnot ok 1 - polkitd is installed\n# there is no {path}; install polkitd")
            return
    world = World({os.path.basename(path): os.path.abspath(path) for path in programs}, source)
    try:
        run(world)
    except Failure as failure:
        print(f"Bail out! {failure}")
    finally:
        world.end()
