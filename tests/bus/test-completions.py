#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bash, zsh and fish offer behind `vfioctl`, asked of the shells themselves: the program's own verbs and options, and the
groups, devices and leases of the whole daemon on a fake machine. TAP on standard output. Needs root.

    test-completions.py VFIOCTL FAKE_VFIOD MACHINE_TOOL COMPLETIONS
"""

import importlib.util
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

# The fake machine's groups and devices, see fake-machine.h; group 4 can be leased.
GROUPS = {f"group/{number}" for number in (*range(10), 60)}
LEASABLE = "group/4"
MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
ADDRESS, ADDRESS_BEGUN = "0000:03:00.0", "0000:03"
FORGET_LINE = "\x15"  # Ctrl-U


def load(name):
    """Another test of this folder, for its fixtures."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
fixtures = load("test-vfioctl")
expect, wait_until = fixtures.expect, fixtures.wait_until


class Terminal:
    """A shell at a terminal, which has been told to write to a file what it offers when Tab is pressed, and the line when Ctrl-T is."""

    def __init__(self, world, command, set_up):
        self.told = world.directory / f"told-{command[0]}"
        self.told.write_text("")
        environment = {**world.environment(), "PATH": f"{Path(world.vfioctl).parent}:{os.environ['PATH']}", "TERM": "dumb",
                       "TOLD": str(self.told), "HOME": str(world.directory), "PS1": "", "COLUMNS": "500"}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        self.output = ""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        self._do(f"{set_up}; echo ready >>$TOLD\n", "ready")

    def _read(self):
        try:
            while data := os.read(self.terminal, 65536):
                self.output += data.decode(errors="replace")
        except OSError:
            pass

    def _do(self, keys, last):
        """What was written to the file, up to that line."""
        self.told.write_text("")
        os.write(self.terminal, keys.encode())
        try:
            wait_until(lambda: self.told.read_text().endswith(f"{last}\n"), f"the shell wrote '{last}'")
        except fixtures.Failure as failure:
            raise fixtures.Failure(f"{failure}; it said: {self.output[-500:]!r}") from None
        return self.told.read_text().splitlines()[:-1]

    def offers(self, line):
        offered = set(self._do(f"{line}\t", "done"))
        os.write(self.terminal, FORGET_LINE.encode())
        return offered

    def completes(self, line):
        """The line, completed."""
        self._do(f"{line}\t", "done")
        return self._do("\x14" + FORGET_LINE, "line")[-1].rstrip()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.reader.join()
        os.close(self.terminal)


class Bash(Terminal):
    name, file, syntax = "bash", "vfioctl.bash", ["bash", "-n"]

    def __init__(self, world, completions):
        super().__init__(world, ["bash", "--noprofile", "--norc", "-i"], f"""source {completions}/vfioctl.bash
            tell() {{ _vfioctl "$@"; printf '%s\\n' "${{COMPREPLY[@]}}" done >>$TOLD; }}; complete -F tell vfioctl
            bind 'set enable-bracketed-paste off'; bind -x '"\\C-t": printf "%s\\nline\\n" "$READLINE_LINE" >>$TOLD'""")

    def offers(self, line):
        # What is behind the colon is all that readline wants to know.
        word = re.search(r"\S*$", line)[0]
        begun = word[:max(word.rfind(":"), word.rfind("=")) + 1]
        return {begun + offered for offered in super().offers(line) if offered}


class Zsh(Terminal):
    name, file, syntax = "zsh", "_vfioctl", ["zsh", "-n"]

    # Everything that a completion function offers comes by compadd; with -O, -A or -D it only asks.
    def __init__(self, world, completions):
        super().__init__(world, ["zsh", "-f", "-i"], f"""fpath=({completions} $fpath); autoload -Uz compinit; compinit -u -D
            compadd() {{ local -a found; if [[ ${{@[1,(i)(-|--)]}} != *-(O|A|D)* ]]; then
                builtin compadd -A found "$@"; (( $#found )) && print -rl -- $found >>$TOLD; fi; builtin compadd "$@" }}
            tell() {{ _main_complete; print done >>$TOLD }}; zle -C tell complete-word tell; bindkey '^I' tell
            line() {{ print -r -- $BUFFER >>$TOLD; print line >>$TOLD }}; zle -N line; bindkey '^T' line; unset zle_bracketed_paste
            """.replace("\n", ";"))

    def offers(self, line):
        # An option that wants a value is offered with what is to come before it.
        return {offered.rstrip("=").removesuffix("=-") for offered in super().offers(line)}


class Fish:
    """fish tells by itself."""

    name, file, syntax = "fish", "vfioctl.fish", ["fish", "--no-execute"]

    def __init__(self, world, completions):
        self.completions = completions
        self.environment = {**world.environment(), "PATH": f"{Path(world.vfioctl).parent}:{os.environ['PATH']}",
                            "HOME": str(world.directory)}

    def offers(self, line):
        script = f"source {self.completions}/vfioctl.fish; complete --do-complete '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], env=self.environment, check=True, capture_output=True, text=True)
        expect(not done.stderr, f"fish says: {done.stderr}")
        # A description is behind a tab.
        return {offered.split("\t")[0].rstrip("=") for offered in done.stdout.splitlines()}

    def completes(self, line):
        offered = self.offers(line)
        expect(len(offered) == 1, f"not one is offered: {offered}")
        return line[:line.rfind(" ") + 1] + offered.pop()

    def end(self):
        pass


def help_of(vfioctl, *verb):
    return subprocess.run([vfioctl, "help", *verb], check=True, capture_output=True, text=True).stdout


def verbs_of(vfioctl):
    verbs = re.search(r"^Verbs:\n((?:  .*\n)+)", help_of(vfioctl), re.M)[1]
    return set(re.findall(r"^  (\S+)", verbs, re.M))


def options_of(vfioctl, verb):
    options = re.search(r"^Options:\n((?:  .*\n)+)", help_of(vfioctl, verb), re.M)[1]
    return set(re.findall(r"^  (?:-\w, |    )(--[\w-]+)", options, re.M))


def offers_exactly(shell, line, expected):
    offered = shell.offers(line)
    expect(offered == expected, f"behind '{line}': {sorted(offered - expected)} too much, {sorted(expected - offered)} missing")


def offers_verbs(shell, world):
    verbs = verbs_of(world.vfioctl)
    expect(verbs, "the help lists no verbs")
    offers_exactly(shell, "vfioctl ", verbs)
    offers_exactly(shell, "vfioctl --json ", verbs)
    offers_exactly(shell, "vfioctl --timeout 5 ", verbs)
    offers_exactly(shell, "vfioctl help ", verbs)
    offers_exactly(shell, "vfioctl un", {"unassign", "unbind"})


def offers_options(shell, world):
    for verb in sorted(verbs_of(world.vfioctl)):
        offers_exactly(shell, f"vfioctl {verb} --", options_of(world.vfioctl, verb))


def offers_values(shell, _):
    offers_exactly(shell, "vfioctl acquire --prepare ", {"open", "bind", "attach"})
    offers_exactly(shell, "vfioctl exec --mode i", {"iommufd"})
    offers_exactly(shell, "vfioctl vfs --autoprobe ", {"yes", "no"})
    offers_exactly(shell, "vfioctl auth --action release", {"release-other"})
    offers_exactly(shell, "vfioctl acquire --label ", set())


def offers_targets(shell, world):
    devices = {path.name for path in (world.machine / "sys/kernel/iommu_groups").glob("*/devices/*")}
    expect(ADDRESS in devices, f"the fake machine has no {ADDRESS}")
    for verb in ("bind", "unbind --wait", "acquire --label text", "list group/1"):
        offers_exactly(shell, f"vfioctl {verb} ", GROUPS | devices)
    offers_exactly(shell, "vfioctl bind group/", GROUPS)
    offers_exactly(shell, "vfioctl reset ", devices)
    offers_exactly(shell, "vfioctl vfs --recreate ", devices)
    offers_exactly(shell, "vfioctl mdev ", {"types", "create", "remove"})
    offers_exactly(shell, "vfioctl mdev types ", {"mtty"})
    offers_exactly(shell, "vfioctl mdev create ", {"mtty"})
    offers_exactly(shell, "vfioctl mdev create mtty ", {"mtty-1", "mtty-2"})
    offers_exactly(shell, "vfioctl mdev remove ", {MDEV})
    # zsh offers options where nothing else can be.
    expect(not shell.offers("vfioctl leases ") & (GROUPS | devices), "targets are offered where there can be none")


def completes_addresses(shell, _):
    line = shell.completes(f"vfioctl bind {ADDRESS_BEGUN}")
    expect(line == f"vfioctl bind {ADDRESS}", f"it is completed to '{line}'")


def offers_leases(shell, world):
    offers_exactly(shell, "vfioctl release ", set())
    holder = world.begin("acquire", LEASABLE)
    holder.wait_for("lease /")
    lease = re.search(r"lease/\d+", holder.out())[0]
    offers_exactly(shell, "vfioctl release ", {lease})
    offers_exactly(shell, "vfioctl add ", {lease})
    offers_exactly(shell, f"vfioctl add {lease} group/", GROUPS)
    offers_exactly(shell, f"vfioctl remove {lease} group/", GROUPS)


def completes_the_program(shell, _):
    line = shell.completes(f"vfioctl exec {LEASABLE} -- mkfif")
    expect(line == f"vfioctl exec {LEASABLE} -- mkfifo", f"it is completed to '{line}'")


TESTS = {
    "offers every verb, and no other": offers_verbs,
    "offers every option of each verb, and no other": offers_options,
    "offers the values of options": offers_values,
    "offers groups and devices as targets": offers_targets,
    "completes an address over its colons": completes_addresses,
    "offers the leases that there are": offers_leases,
    "completes the program of exec": completes_the_program,
}


def run(world, shell_class, completions, function):
    """The complaint, or nothing."""
    shell = None
    try:
        subprocess.run([*shell_class.syntax, completions / shell_class.file], check=True, capture_output=True)
        shell = shell_class(world, completions)
        function(shell, world)
    except (fixtures.Failure, subprocess.CalledProcessError) as failure:
        return str(failure)
    finally:
        if shell:
            shell.end()
    return ""


def run_all(world, shell_class, completions):
    """(sentence, complaint) of each test."""
    world.start_vfiod()
    subprocess.run([world.machine_tool, "mdev", MDEV], env=world.environment(), check=True)
    wait_until(lambda: MDEV in world.call("list"), "vfiod knows the mediated device")
    for sentence, function in TESTS.items():
        yield sentence, run(world, shell_class, completions, function)
    world.end_test()


def main():
    vfioctl, vfiod, machine_tool, completions = map(os.path.abspath, sys.argv[1:])
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root: without polkit vfiod obeys nobody else")
        return
    world = fixtures.World(vfioctl, vfiod, machine_tool, "bus")
    count = 0
    try:
        world.start_bus()
        for shell_class in (Bash, Zsh, Fish):
            if not shutil.which(shell_class.name):
                count += 1
                print(f"ok {count} - {shell_class.name} # SKIP it is not installed here")
                continue
            for sentence, complaint in run_all(world, shell_class, Path(completions)):
                count += 1
                print(f"{'not ok' if complaint else 'ok'} {count} - {shell_class.name} {sentence}", flush=True)
                for line in complaint.splitlines():
                    print(f"# {line}", flush=True)
    except fixtures.Failure as failure:
        print(f"Bail out! {failure}")
    finally:
        world.end()
    print(f"1..{count}")


if __name__ == "__main__":
    main()
