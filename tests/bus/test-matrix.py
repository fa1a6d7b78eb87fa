#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every method and every property, read and written, by everybody, over the bus and at the socket: the result is the documented
one, and the machine is as it was where it is no. TAP on standard output. Needs root.

The rows are made from protocol/*.xml: an annotation org.vfiod1.Action says which actions are asked, and on which conditions,
each of which is a row of its own; org.vfiod1.Owner says what the owner of the lease has ahead of others. A method without the
annotation fails the test, and so does one with an argument that ARGUMENTS does not know. The standard interface that reads
everything at once has a row, too.
"""

import functools
import json
import os
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

from harness import (ACCESS_DENIED, INTERACTIVE, OURS, Agent, Call, Client, Failure, ScriptedPolkit, expect, run_as_root,
                     wait_until)

READ_ONLY = "org.freedesktop.DBus.Error.PropertyReadOnly"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
ACTION, OWNER = "org.vfiod1.Action", "org.vfiod1.Owner"

# The lease that is there when each call is made.
LEASED, LABEL = ("group/4", "group/9"), "matrix"
# What is free and on vfio-pci, what is free and not, and a device of the lease and of none.
BOUND, UNBOUND = "group/8", "group/2"
# What the host is made to use, and its group.
DISPLAY = ("0000:04:00.0", "group/5")
FREE_DEVICE, LEASED_DEVICE = "0000:06:00.0", "0000:03:00.0"
# What has no IOMMU, and its group.
NO_IOMMU = ("0000:0b:00.0", "group/20")
# Of methods that would make nothing of these.
MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
DEVICES = {"SetVfs": "0000:02:00.0", "RemoveMdev": MDEV}

# Of every method, by the name of the argument.
ARGUMENTS = {"targets": [BOUND], "options": {}, "operation": "bind", "number": 8, "name": FREE_DEVICE, "first": 0, "count": 0,
             "method": "", "num_vfs": 2, "parent": "mtty", "type": "mtty-2", "uuid": ""}
# Where the usual targets would leave nothing to do, by the member or by a condition.
TARGETS = {"Bind": [UNBOUND], "bind": [UNBOUND], "operation=bind": [UNBOUND], "Remove": [LEASED[1]],
           "override_safety": [DISPLAY[1]], "no-iommu": [NO_IOMMU[1]]}
# Options that a condition only names.
OPTIONS = {"bind": True, "override_safety": True, "memlock": 4096}
# Conditions that the targets meet by themselves.
FACTS = {"no-iommu"}
# What is asked about, and then cannot be done in this scene: the lease that is there has an IOMMU.
IMPOSSIBLE = {("Add", "no-iommu"): ("org.vfiod1.Error.Unsupported", "group 20 has no IOMMU, and group 4 has one")}

# Users that every Debian has, as the rules below treat them.
ALLOWED, DENIED, ASKED, HOLDER, LIMITED = "games", "news", "mail", "irc", "proxy"
RULES = """
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.vfiod1.") != 0)
        return undefined;
    switch (subject.user) {
    case "games":
        return polkit.Result.YES;
    case "news":
        return polkit.Result.NO;
    case "proxy":
        return MORE.indexOf(action.id) < 0 ? polkit.Result.YES : polkit.Result.NO;
    case "irc":
        return action.lookup("label") == "matrix" ? polkit.Result.YES : polkit.Result.NO;
    }
    return undefined;
});
"""
# Where polkit hangs, all calls are under way at once.
CONFIG = {"unsafe_noiommu": True, "limits": {"connections_per_uid": 1024, "requests_per_uid": 1024, "questions": 1024, "questions_per_uid": 1024}}


def encoded(device):
    """sd_bus_path_encode(3)"""
    return re.sub(r"[^A-Za-z0-9]|^[0-9]", lambda match: f"_{ord(match[0]):02x}", device)


class Row:
    """One call, and what is documented of it."""

    def __init__(self, interface, member, signature, arguments, actions, owner=None, is_write=False, conditions=()):
        self.interface, self.member, self.signature, self.arguments = interface, member, signature, arguments
        self.actions, self.owner, self.is_write = actions, owner, is_write
        self.impossible = next((IMPOSSIBLE[member, condition] for condition in conditions if (member, condition) in IMPOSSIBLE), None)
        self.name = f"{interface.rpartition('.')[2]}.{member}"
        if self.is_property():
            self.name = f"{arguments[0].rpartition('.')[2]}.{arguments[1]} {'written' if is_write else 'read'}"
        self.name += "".join(f" {condition}" for condition in conditions)

    def path(self, lease, own):
        kind = (self.arguments[0] if self.is_property() else self.interface).rpartition(".")[2]
        device = encoded(DEVICES.get(self.member, LEASED_DEVICE if own else FREE_DEVICE))
        return {"Manager": "/org/vfiod1", "ObjectManager": "/org/vfiod1", "Group": "/org/vfiod1/group/8", "Lease": lease,
                "Device": f"/org/vfiod1/device/{device}"}[kind]

    def is_property(self):
        return self.interface == PROPERTIES

    def is_about_lease(self):
        return self.interface.endswith(".Lease")


def annotations_of(node):
    return {a.get("name"): a.get("value") for a in node.findall("annotation")}


def parse_actions(text):
    """[(conditions, action)] of the annotation."""
    actions = []
    for word in [] if text == "none" else text.split():
        conditions, _, action = word.rpartition(":")
        actions.append((frozenset(conditions.split("+")) - {""}, action))
    return actions


def arguments_for(method, conditions):
    values = {name: ARGUMENTS[name] for name in (arg.get("name") for arg in method.findall("arg[@direction='in']"))}
    # The last one counts.
    for key in (method.get("name"), *sorted(conditions)):
        if key in TARGETS and "targets" in values:
            values["targets"] = TARGETS[key]
    for condition in sorted(conditions):
        name, _, value = condition.partition("=")
        if name in FACTS:
            continue
        if name in values:
            values[name] = value
        else:
            values["options"] = {**values["options"], name: value or OPTIONS[name]}
    return list(values.values())


def rows_of_method(interface, method):
    annotations = annotations_of(method)
    actions = parse_actions(annotations[ACTION])
    signature = "".join(arg.get("type") for arg in method.findall("arg[@direction='in']"))
    # As it is, where that means something, and once more for each condition.
    for conditions in sorted({needed for needed, _ in actions} | {frozenset()}, key=sorted):
        asked = [action for needed, action in actions if needed <= conditions]
        if asked or not actions:
            yield Row(interface, method.get("name"), signature, arguments_for(method, conditions), asked,
                      annotations.get(OWNER), conditions=sorted(conditions))


def rows_of_property(interface, node):
    asked = [action for _, action in parse_actions(annotations_of(node).get(ACTION, "none"))]
    yield Row(PROPERTIES, "Get", "ss", [interface, node.get("name")], asked)
    yield Row(PROPERTIES, "Set", "ssv", [interface, node.get("name"), "changed"], [], is_write=True)


class Documents:
    def __init__(self, source):
        roots = [ET.parse(path).getroot() for path in sorted((source / "protocol").glob("*.xml"))]
        self.interfaces = [interface for root in roots for interface in root.findall("interface")]
        policy = ET.parse(source / "polkit/org.vfiod1.policy").getroot()
        self.defaults = {action.get("id"): action.findtext("defaults/allow_any") for action in policy.findall("action")}

    def methods(self):
        return [(interface.get("name"), method) for interface in self.interfaces for method in interface.findall("method")]

    def rows(self):
        rows = [row for name, method in self.methods() for row in rows_of_method(name, method)]
        rows.append(Row(OBJECT_MANAGER, "GetManagedObjects", "", [], ["org.vfiod1.list"]))
        return rows + [row for interface in self.interfaces for node in interface.findall("property")
                       for row in rows_of_property(interface.get("name"), node)]

    def complaints(self):
        """What keeps rows from being made."""
        for interface, method in self.methods():
            name, annotations = f"{interface}.{method.get('name')}", annotations_of(method)
            if ACTION not in annotations:
                yield f"{name} has no annotation {ACTION}"
                continue
            for conditions, action in parse_actions(annotations[ACTION]):
                if action not in self.defaults:
                    yield f"{name}: there is no action {action}"
                for condition in conditions:
                    if "=" not in condition and condition not in OPTIONS and condition not in FACTS:
                        yield f"{name}: no value for the option {condition}"
            if annotations.get(OWNER, "only") not in ("only", "exempt"):
                yield f"{name}: {OWNER} is {annotations[OWNER]}"
            yield from (f"{name}: no value for the argument {arg.get('name')}"
                        for arg in method.findall("arg[@direction='in']") if arg.get("name") not in ARGUMENTS)


class Caller:
    """A column: who calls, and what comes of a question."""

    def __init__(self, sentence, user, answer, interactive=False, agent=None, owner=False):
        self.sentence, self.user, self.interactive, self.agent, self.owner = sentence, user, interactive, agent, owner
        # Of a row and an action of it: None to go on, or the error.
        self.answer = answer

    def expected(self, row):
        """None, or the error's name and what its sentence says."""
        for action in [] if self.user == "root" or (self.owner and row.owner == "exempt") else row.actions:
            error = self.answer(row, action)
            if error:
                return error, action
        if row.owner == "only" and not self.owner:
            return OURS + "NotOwner", "belongs to uid"
        return (READ_ONLY, "") if row.is_write else row.impossible


def go_on(_row, _action):
    return None


def deny(_row, _action):
    return ACCESS_DENIED


def by_default(defaults, error):
    """The answer to somebody for whom no rule is."""
    return lambda row, action: None if defaults[action] == "yes" else error


# What is asked of some calls beside another action, to see that it is asked at all.
MORE = ("org.vfiod1.bind", "org.vfiod1.revoke", "org.vfiod1.raise-memlock", "org.vfiod1.unsafe-noiommu")


def deny_more(_row, action):
    return ACCESS_DENIED if action in MORE else None


def allow_labelled(row, _action):
    """By the rule for the holder: what is about his lease."""
    return None if row.is_about_lease() else ACCESS_DENIED


class Scene:
    """A world with a lease in it, and how it was before each call."""

    def __init__(self, world, holder, bus=True):
        self.world, self.holder, self.bus = world, holder, bus
        self.lease = None

    def begin(self):
        self.world.end_test()
        self.world.config = CONFIG
        self.world.start_vfiod(self.bus)
        self.world.tool("mdev", MDEV)
        self.root = Client(self.world, "root", socket=True)
        self.world.tool("attribute", FREE_DEVICE, "reset_method", "flr\n")
        self.world.tool("attribute", DISPLAY[0], "boot_vga", "1")
        self.world.tool("no-iommu", NO_IOMMU[0], NO_IOMMU[1].removeprefix("group/"))
        first, second = LEASED
        _, self.lease = self.world.hold(self.holder, first, options={"label": LABEL}, socket=not self.bus)
        # Its files are nowhere but with vfiod, so that it can be removed.
        self.world.call(self.holder, "Add", second, lease=self.lease, options={"defer_fds": "true"},
                        socket=not self.bus).expect_done()
        self.before = self.snapshot()

    def snapshot(self):
        """All that the machine's files say, and the leases."""
        files = {}
        for directory, _, names in os.walk(self.world.machine):
            for name in names:
                path = pathlib.Path(directory, name)
                if path.is_symlink():
                    files[str(path)] = os.readlink(path)
                elif path.is_file():
                    files[str(path)] = path.read_bytes()
        leases = self.root.call("/org/vfiod1", "org.vfiod1.Manager", "ListLeases", "", []).expect_done().text
        return files, leases

    def has_changed(self):
        return self.snapshot() != self.before

    def end(self):
        self.root.leave()
        self.world.end_test()


def judge(row, outcome, expected):
    if expected is None:
        return None if outcome.done else f"{row.name}: it was to be done, and is '{outcome.line}'"
    if outcome.done or outcome.name != expected[0] or expected[1] not in outcome.text:
        return f"{row.name}: {' '.join(expected)} was expected, not '{outcome.line}'"
    return None


def connect(world, caller, socket):
    client = Client(world, caller.user, socket=socket, interactive=caller.interactive)
    return client, Agent(world, client, caller.agent) if caller.agent else None


def call_each(scene, rows, caller, socket):
    """The complaints about one column."""
    complaints = []
    client = agent = None
    for row in rows:
        if not client:
            scene.begin()
            client, agent = connect(scene.world, caller, socket)
        expected = caller.expected(row)
        outcome = client.call(row.path(scene.lease, caller.owner), row.interface, row.member, row.signature, row.arguments)
        complaints.append(judge(row, outcome, expected))
        # What a property does is looked at once for all: they are the last rows.
        if (row.is_property() and row is not rows[-1]) or not scene.has_changed():
            continue
        if expected:
            complaints.append(f"{row.name}: refused, and the machine has changed")
        complaints += end_column(caller, client, agent)
        client = None
    complaints += end_column(caller, client, agent) if client else []
    scene.end()
    return complaints


def end_column(caller, client, agent):
    client.leave()
    if not agent:
        return []
    agent.end()
    bad = [line for line in agent.lines if "$(" in line or "vfiod1" not in line]
    if not caller.interactive:
        bad += agent.lines
    return [f"a person was asked: {line}" for line in bad]


def begin_call(scene, row, socket):
    return Call(scene.world, ALLOWED, row.member, *row.arguments, signature=row.signature,
                path=row.path(scene.lease, False), interface=row.interface, socket=socket)


def asked_rows(rows):
    return [row for row in rows if row.actions and not row.is_write]


def expect_polkit_missing(row, outcome):
    return judge(row, outcome, (ACCESS_DENIED, f"polkit is not there to ask, so only root may do this (action {row.actions[0]})"))


def expect_polkit_late(row, outcome):
    return judge(row, outcome, (ACCESS_DENIED, f"polkit did not answer in time; try again (action {row.actions[0]})"))


def polkit_hangs(scene, rows, socket):
    """All of them at once, since each takes as long as polkit is waited for: they stand in line, and are told with the first."""
    scene.begin()
    polkit = scene.world.polkit
    polkit.tell("default hang")
    polkit.lines.clear()
    calls = [(row, begin_call(scene, row, socket)) for row in asked_rows(rows)]
    complaints = [expect_polkit_late(row, call.outcome()) for row, call in calls]
    wait_until(lambda: polkit.cancels() == [check[0] for check in polkit.checks()], "the questions were withdrawn")
    return complaints + ["the machine has changed"] * scene.has_changed()


def polkit_dies(scene, rows, socket):
    complaints = []
    scene.begin()
    for row in asked_rows(rows):
        scene.world.polkit.tell("default die")
        complaints.append(expect_polkit_missing(row, begin_call(scene, row, socket).outcome()))
        complaints += [f"{row.name}: the machine has changed"] * scene.has_changed()
        scene.world.polkit.end()
        scene.world.polkit = ScriptedPolkit(scene.world)
    return complaints


def caller_leaves(scene, rows, socket):
    complaints = []
    scene.begin()
    polkit = scene.world.polkit
    polkit.tell("default hang")
    for row in asked_rows(rows):
        polkit.lines.clear()
        call = begin_call(scene, row, socket)
        wait_until(polkit.checks, f"polkit was asked about {row.name}")
        call.leave()
        wait_until(polkit.cancels, f"the question of {row.name} was withdrawn")
        polkit.tell("answer allow")
        complaints += [f"{row.name}: nobody called, and the machine has changed"] * scene.has_changed()
    return complaints


class Report:
    def __init__(self, world):
        self.world = world
        self.count = 0

    def add(self, sentence, complaints):
        self.count += 1
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {sentence}", flush=True)
        for complaint in complaints:
            print(f"# {complaint}", flush=True)

    def column(self, sentence, run):
        try:
            complaints = [complaint for complaint in run() if complaint]
        except Failure as failure:
            complaints = [str(failure)]
        if complaints:
            complaints += [f"vfiod: {line}" for line in self.world.log.read_text(errors="replace").splitlines()[-10:]]
        self.add(sentence, complaints)


TRANSPORTS = (("on the bus", False), ("at the socket", True))


def run_columns(report, scene, rows, callers, transports=TRANSPORTS):
    for where, socket in transports:
        for caller in callers:
            report.column(f"{where}, {caller.sentence}", functools.partial(call_each, scene, rows, caller, socket))


def run_with_scripted(report, world, rows, _defaults):
    world.start_bus()
    for where, socket in TRANSPORTS:
        for sentence, run in (("polkit hangs: no, and its question is withdrawn", polkit_hangs),
                              ("polkit dies while it is asked: no", polkit_dies),
                              ("the caller leaves while polkit is asked: nothing, and the question is withdrawn", caller_leaves)):
            world.polkit = ScriptedPolkit(world)
            scene = Scene(world, HOLDER)
            report.column(f"{where}, {sentence}", lambda: run(scene, rows, socket))
            scene.end()
            world.polkit.end()
            world.polkit = None


def run_with_polkitd(report, world, rows, defaults):
    needs_password = functools.partial(by_default, defaults)
    world.start_bus()
    run_columns(report, Scene(world, "root"), rows, [
        Caller("without polkit, root and owner: all of it", "root", go_on, owner=True),
        Caller("without polkit, anybody else: nothing, and it is said why", ALLOWED,
               deny)])
    run_columns(report, Scene(world, "root", bus=False), rows, [
        Caller("root and owner: all of it", "root", go_on, owner=True),
        Caller("anybody else: nothing, and it is said why", ALLOWED, deny)], [("without a bus", True)])
    world.start_polkitd({"10-matrix.rules": RULES.replace("MORE", json.dumps(MORE))})
    run_columns(report, Scene(world, HOLDER), rows, [
        Caller("root: all but what is the owner's", "root", go_on),
        Caller("who is allowed: all but what is the owner's", ALLOWED, go_on),
        Caller("who is denied: nothing but to read properties", DENIED, deny),
        Caller("the owner of the lease, who is denied all else", HOLDER,
               allow_labelled, owner=True),
        Caller("who is allowed one action and not the other that is asked: what needs the one alone", LIMITED, deny_more),
        Caller("who must authenticate, and says that he will not: no, and what it is that he would need", ASKED,
               needs_password(INTERACTIVE)),
        Caller("who must authenticate, with an agent that may not be asked: the same", ASKED, needs_password(INTERACTIVE),
               agent="yes"),
        Caller("who must authenticate, and has no agent: no", ASKED, needs_password(ACCESS_DENIED), interactive=True),
        Caller("who authenticates: all but what is the owner's", ASKED, go_on, interactive=True, agent="yes"),
        Caller("who is asked for the password and presses cancel: no", ASKED, needs_password(ACCESS_DENIED),
               interactive=True, agent="no")])
    world.stop_polkitd()


PARTS = {"polkitd": run_with_polkitd, "scripted": run_with_scripted}


def run(world):
    documents = Documents(world.source)
    report = Report(world)
    complaints = list(documents.complaints())
    report.add("every method tells its actions, and every argument has a value", complaints)
    if not complaints:
        PARTS[sys.argv[1]](report, world, documents.rows(), documents.defaults)
    print(f"1..{report.count}")


# test-matrix.py PART SOURCE PROGRAM...
run_as_root(sys.argv[2], sys.argv[3:], run)
