#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what, on a system bus of its own and at the socket beside it: the whole daemon on a fake machine, Debian's dbus-daemon
with the policy that vfiod installs, and first the real polkitd with vfiod's actions and rules of this
file, then no polkit, then a scripted one that hangs, dies and answers nonsense. TAP on standard output.

Needs root, for users and a mount namespace. Every test has a machine and a vfiod of its own.
"""

import contextlib
import errno
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from harness import (ACCESS_DENIED, INTERACTIVE, Failure, Outcome, ScriptedPolkit, expect, run_as_root, uid_of, wait_until)

# Users that every Debian has, by what the rules below say of them.
ALLOWED, DENIED, ASKED, EXACT, ONE_DEVICE, NO_BIND, RELEASER, SERVICE, OTHER, NO_REVOKE, NO_UNBIND, MEMBER, OPERATOR, NO_OVERRIDE, NO_UNSAFE = (
    "games", "news", "mail", "uucp", "man", "lp", "backup", "sys", "irc", "proxy", "www-data", "list",
    "bin", "sync", "daemon")

RULES = """
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.vfiod1.") != 0)
        return undefined;
    var keys = ["device", "vendor", "class", "group", "driver", "label", "mode", "owner", "memlock"];
    var details = action.id.substring(11);
    for (var i = 0; i < keys.length; i++)
        if (action.lookup(keys[i]) !== undefined)
            details += " " + keys[i] + "=" + action.lookup(keys[i]);
    switch (subject.user) {
    case "games":
        return polkit.Result.YES;
    case "news":
        return polkit.Result.NO;
    case "uucp":
        return EXPECTED.indexOf(details) >= 0 ? polkit.Result.YES : polkit.Result.NO;
    case "man":
        return action.lookup("device") == "0000:01:00.0" ? polkit.Result.YES : polkit.Result.NO;
    case "lp":
        return action.id == "org.vfiod1.bind" ? polkit.Result.NO : polkit.Result.YES;
    case "proxy":
        return action.id == "org.vfiod1.revoke" ? polkit.Result.NO : polkit.Result.YES;
    case "www-data":
        return action.id == "org.vfiod1.unbind" ? polkit.Result.NO : polkit.Result.YES;
    case "sync":
        return action.id == "org.vfiod1.override-safety" ? polkit.Result.NO : polkit.Result.YES;
    case "daemon":
        return action.id == "org.vfiod1.unsafe-noiommu" ? polkit.Result.NO : polkit.Result.YES;
    case "backup":
        return details == "release-other label=for games mode=group owner=5" ? polkit.Result.YES : polkit.Result.NO;
    }
    return undefined;
});
"""

# Seconds for which files wait for room on the bus where a test says so (fake-flow-patience.c).
BUS_PATIENCE = 5

TESTS = {"polkitd": [], "none": [], "scripted": []}


def test(section, sentence, config=None, on_socket=True):
    """One that is about the bus itself is not run at the socket too."""
    def decorate(function):
        TESTS[section].append((sentence, function, config or {}, on_socket))
        return function
    return decorate


# With the real polkitd.

# What polkit must have been told for the user EXACT to be let through: all that he does below.
EXPECTED = [
    "list",
    "bind device=0000:01:00.0 vendor=8086:10d3 class=020000 group=2 driver=e1000e",
    "bind device=0000:01:00.1 vendor=8086:2668 class=040300 group=2 driver=snd_hda_intel",
    "unbind device=0000:01:00.0 vendor=8086:10d3 class=020000 group=2 driver=vfio-pci",
    "unbind device=0000:01:00.1 vendor=8086:2668 class=040300 group=2 driver=vfio-pci",
    "acquire device=0000:03:00.0 vendor=8086:100e class=020000 group=4 driver=vfio-pci mode=group",
    "acquire device=0000:07:00.0 vendor=8086:100e class=020000 group=9 driver=vfio-pci label=a label mode=group",
    "acquire device=0000:04:00.0 vendor=10de:1eb8 class=030200 group=5 driver= mode=group",
    "bind device=0000:04:00.0 vendor=10de:1eb8 class=030200 group=5 driver= mode=group",
    "inspect device=0000:03:00.0 vendor=8086:100e class=020000 group=4 driver=vfio-pci",
    "acquire device=0000:03:00.0 vendor=8086:100e class=020000 group=4 driver=vfio-pci label=much mode=group",
    "raise-memlock label=much mode=group memlock=1048576",
    "acquire device=0000:06:00.0 vendor=8086:100e class=020000 group=8 driver=vfio-pci mode=iommufd",
    "acquire device=0000:06:00.1 vendor=8086:2668 class=040300 group=8 driver=pci-stub mode=iommufd",
    "acquire device=0000:0b:00.0 vendor=8086:100e class=020000 group=20 driver=vfio-pci label=unsafe mode=group",
    "unsafe-noiommu device=0000:0b:00.0 vendor=8086:100e class=020000 group=20 driver=vfio-pci label=unsafe mode=group",
]


@test("polkitd", "who is allowed may list, bind, acquire, release and unbind")
def allowed(w):
    w.call(ALLOWED, "ListGroups").expect_done("/org/vfiod1/group/2")
    w.call(ALLOWED, "Bind", "group/2").expect_done()
    _, path = w.hold(ALLOWED, "group/2")
    w.call(ALLOWED, "GetFds", "0", "2", lease=path).expect_done("container: group:2")
    w.call(ALLOWED, "Release", lease=path).expect_done()
    for call in w.calls:
        call.leave()
    wait_until(lambda: w.call("root", "ListLeases").text == "", "the lease was over")
    w.call(ALLOWED, "Unbind", "group/2").expect_done()
    expect("bind 0000:01:00.0 to e1000e" in w.kernel_calls(), "it is not back on its driver")


@test("polkitd", "who is denied may do nothing, is told which action, and nothing is done")
def denied(w):
    for member, action in (("ListGroups", "list"), ("ListDevices", "list"), ("ListLeases", "list"),
                           ("Overview", "list")):
        w.call(DENIED, member).expect_error(ACCESS_DENIED, f"org.vfiod1.{action}", f"uid {uid_of(DENIED)}")
    w.call(DENIED, "GetDevice", "0000:01:00.0").expect_error(ACCESS_DENIED, "org.vfiod1.list")
    w.call(DENIED, "Explain", "group/2").expect_error(ACCESS_DENIED, "org.vfiod1.list")
    for member, action in (("Bind", "bind"), ("Unbind", "unbind"), ("Acquire", "acquire")):
        w.call(DENIED, member, "group/4").expect_error(ACCESS_DENIED, f"org.vfiod1.{action}", "0000:03:00.0")
    for operation, action in (("bind", "bind"), ("unbind", "unbind"), ("acquire", "acquire")):
        w.call(DENIED, "Plan", "group/4", operation=operation).expect_error(ACCESS_DENIED, f"org.vfiod1.{action}")
    w.expect_untouched()


@test("polkitd", "who must authenticate is told so unless the call allows asking")
def must_authenticate(w):
    for member, action in (("Bind", "bind"), ("Acquire", "acquire")):
        said = w.call(ASKED, member, "group/4").expect_error(INTERACTIVE, "0000:03:00.0", f"org.vfiod1.{action}")
        expect("agent" not in said.text, said.text)
        # Nobody is there to ask, so polkit says no at once.
        w.call(ASKED, member, "group/4", interactive=True).expect_error(
            ACCESS_DENIED, "must authenticate to do this to 0000:03:00.0", f"org.vfiod1.{action}", "no polkit agent", "pkttyagent",
            "'vfioctl auth 0000:03:00.0'")
    w.call(DENIED, "Bind", "group/4", interactive=True).expect_error(ACCESS_DENIED, "may not do this to 0000:03:00.0",
                                                                     "; 'vfioctl auth 0000:03:00.0' shows what it may do")
    w.expect_untouched()


@test("polkitd", "everybody may list by default")
def list_by_default(w):
    w.call(ASKED, "ListDevices").expect_done("/org/vfiod1/device/")
    w.call(ASKED, "Explain", "group/2").expect_done()


@test("polkitd", "rules see device, vendor, class, group, driver, label and mode as they are")
def details(w):
    w.call(EXACT, "ListGroups").expect_done()
    w.call(EXACT, "Bind", "0000:01:00.1").expect_done()
    w.call(EXACT, "Unbind", "group/2").expect_done()
    w.hold(EXACT, "group/4")
    w.hold(EXACT, "group/9", options={"label": "a label"})
    w.hold(EXACT, "group/5", options={"bind": "true"})
    # What is not exactly that is denied.
    w.call(EXACT, "Bind", "group/3").expect_error(ACCESS_DENIED, "0000:02:00.0")
    w.call(EXACT, "Acquire", "group/8").expect_error(ACCESS_DENIED, "0000:06:00.0")
    w.tool("iommufd", "on")
    w.hold(EXACT, "group/8")


@test("polkitd", "overriding safety is a right of its own, asked for what the host is using and for nothing else")
def override_safety(w):
    gpu, force = "0000:04:00.0", {"override_safety": "true"}
    w.call(NO_OVERRIDE, "Bind", gpu, options=force).expect_done()
    w.call("root", "Unbind", gpu).expect_done()
    w.tool("attribute", gpu, "boot_vga", "1")
    w.call(NO_OVERRIDE, "Bind", gpu).expect_error("org.vfiod1.Error.HostDevice", "the display that the host has booted with")
    w.call(NO_OVERRIDE, "Bind", gpu, options=force).expect_error(ACCESS_DENIED, "org.vfiod1.override-safety", gpu)
    w.call(NO_OVERRIDE, "Bind", "group/1", options=force).expect_error(ACCESS_DENIED, "override-safety", "0000:00:1f.0")
    w.call(NO_BIND, "Bind", gpu, options=force).expect_error(ACCESS_DENIED, "org.vfiod1.bind", gpu)
    w.call(ALLOWED, "Bind", gpu, options=force).expect_done()


@test("polkitd", "a device without an IOMMU takes a right of its own, asked for beside that to acquire it", {"unsafe_noiommu": True})
def no_iommu(w):
    nic = "0000:0b:00.0"
    w.tool("no-iommu", nic, "20")
    w.call(NO_UNSAFE, "Acquire", nic).expect_error(ACCESS_DENIED, "org.vfiod1.unsafe-noiommu", nic)
    w.call(NO_UNSAFE, "Plan", "group/20", operation="acquire").expect_error(ACCESS_DENIED, "unsafe-noiommu", nic)
    w.expect_untouched()
    w.call(ONE_DEVICE, "Acquire", nic).expect_error(ACCESS_DENIED, "org.vfiod1.acquire", nic)
    w.hold(NO_UNSAFE, "group/4")
    # Nothing of it leaves vfiod by these.
    w.call(NO_UNSAFE, "Inspect", device=nic).expect_done()
    call, _ = w.hold(EXACT, nic, options={"label": "unsafe"})
    answers = may(w, EXACT, nic, actions=["org.vfiod1.unsafe-noiommu"], label="unsafe")
    expect_answers(answers, "yes", "rule", "auth_admin")
    call.leave()
    w.call(NO_UNSAFE, "Unbind", nic, options={"policy": "wait"}).expect_done()


@test("polkitd", "nobody is asked about a device without an IOMMU that the configuration gives to nobody")
def no_iommu_forbidden(w):
    w.tool("no-iommu", "0000:0b:00.0", "20")
    for user in (NO_UNSAFE, ALLOWED, "root"):
        w.call(user, "Acquire", "group/20").expect_refusal("Unsupported", "unsafe_noiommu")
    w.call(DENIED, "Acquire", "group/20").expect_error(ACCESS_DENIED, "org.vfiod1.acquire")
    w.expect_untouched()


@test("polkitd", "an inspection is asked about for the device alone that is inspected")
def inspect(w):
    w.call(ALLOWED, "Inspect", device="0000:03:00.0").expect_done()
    w.call(EXACT, "Inspect", device="0000:03:00.0").expect_done()
    w.call(EXACT, "Inspect", device="0000:07:00.0").expect_error(ACCESS_DENIED, "org.vfiod1.inspect", "0000:07:00.0")
    w.call("root", "Bind", "group/2").expect_done()
    w.call(ONE_DEVICE, "Inspect", device="0000:01:00.0").expect_done()
    w.call(ONE_DEVICE, "Inspect", device="0000:01:00.1").expect_error(ACCESS_DENIED, "0000:01:00.1")


@test("polkitd", "who may not inspect is told so before anything is opened, the owner of the lease excepted")
def inspect_denied(w):
    w.call(DENIED, "Inspect", device="0000:03:00.0").expect_error(
        ACCESS_DENIED, "0000:03:00.0", "org.vfiod1.inspect", f"uid {uid_of(DENIED)}")
    w.call(ASKED, "Inspect", device="0000:03:00.0").expect_error(INTERACTIVE, "org.vfiod1.inspect", "0000:03:00.0")
    # What it is on is nobody's business who may not ask.
    w.call(DENIED, "Inspect", device="0000:01:00.0").expect_error(ACCESS_DENIED, "org.vfiod1.inspect")
    w.expect_untouched()
    _, path = w.hold(EXACT, "group/9", options={"label": "a label"})
    w.call(EXACT, "Inspect", device="0000:07:00.0").expect_done()
    w.call(DENIED, "Inspect", device="0000:07:00.0").expect_error(ACCESS_DENIED, "org.vfiod1.inspect")
    w.call(EXACT, "Release", lease=path).expect_done()


@test("polkitd", "every member of a group is asked about, not only the one named")
def each_member(w):
    w.call(ONE_DEVICE, "Bind", "0000:01:00.0").expect_error(ACCESS_DENIED, "0000:01:00.1")
    w.call(ONE_DEVICE, "Acquire", "0000:01:00.0", options={"bind": "true"}).expect_error(ACCESS_DENIED)
    w.expect_untouched()


@test("polkitd", "who may acquire and not bind may acquire what is bound")
def acquire_without_bind(w):
    w.hold(NO_BIND, "group/4", options={"bind": "true"})
    w.call(NO_BIND, "Acquire", "group/2", options={"bind": "true"}).expect_error(
        ACCESS_DENIED, "org.vfiod1.bind", "0000:01:00.0")
    w.call(NO_BIND, "Bind", "group/2").expect_error(ACCESS_DENIED, "org.vfiod1.bind")
    w.call("root", "Bind", "group/2").expect_done()
    w.hold(NO_BIND, "group/2")


@test("polkitd", "who asks for more locked memory needs an action that tells how much, and his own process gets it")
def memlock(w):
    options = {"label": "much", "memlock": "1048577"}
    w.call(EXACT, "Acquire", "group/4", options=options).expect_error(
        ACCESS_DENIED, "org.vfiod1.raise-memlock", "its limit of locked memory")
    w.call(EXACT, "Plan", "group/4", operation="acquire", options=options).expect_error(
        ACCESS_DENIED, "org.vfiod1.raise-memlock")
    w.expect_untouched()
    options["memlock"] = "1048576"
    w.call(EXACT, "Plan", "group/4", operation="acquire", options=options).expect_done(
        "to at least 1048576 bytes")
    w.expect_untouched()
    call, path = w.hold(EXACT, "group/4", options=options)
    expect(w.kernel_calls().startswith(raised(call, 1048576)), w.kernel_calls())
    w.call(EXACT, "Add", "group/9", lease=path, options={"memlock": "2048"}).expect_error(ACCESS_DENIED)
    # The device is not asked about once more, and without the option there is no question.
    w.call(ASKED, "Acquire", "group/9", options={"memlock": "4096"}).expect_error(INTERACTIVE, "0000:07:00.0")
    w.hold(EXACT, "group/9", options={"label": "a label"})


def raised(call, size):
    """What is done first to the machine, with the true number of the process that has called."""
    return f"raise RLIMIT_MEMLOCK of process {call.process.pid} to at least {size} bytes\n"


@test("polkitd", "locked memory is raised again when groups are added, for whoever adds them")
def memlock_added(w):
    _, path = w.hold(ALLOWED, "group/4")
    before = w.kernel_calls()
    call = w.begin(ALLOWED, "Add", "group/9", lease=path, options={"memlock": "4096"})
    call.outcome().expect_done("group:9")
    expect(w.kernel_calls().startswith(before + raised(call, 4096)), w.kernel_calls())


@test("polkitd", "more locked memory than is configured is refused, root's too",
      config={"memlock": {"max_bytes": 4096}})
def memlock_limit(w):
    for user in (ALLOWED, "root"):
        w.call(user, "Acquire", "group/4", options={"memlock": "4097"}).expect_refusal(
            "LimitExceeded", "4097 bytes, the limit is 4096 (memlock.max_bytes)")
    w.expect_untouched()
    w.hold(ALLOWED, "group/4", options={"memlock": "4096"})


@test("polkitd", "locked memory that cannot be raised fails the whole, and is put back when something else fails")
def memlock_undone(w):
    fault = w.machine / "faults" / "memlock any"
    fault.write_text(str(errno.ESRCH))
    w.call(ALLOWED, "Acquire", "group/4", options={"memlock": "4096"}).expect_refusal(
        "Failed", "raise RLIMIT_MEMLOCK of process", "to at least 4096 bytes: No such process")
    w.expect_untouched()
    fault.unlink()
    (w.machine / "faults" / "open-group 4").write_text(str(errno.EBUSY))
    call = w.begin(ALLOWED, "Acquire", "group/4", options={"memlock": "4096"})
    call.outcome().expect_refusal("HeldOutside", "group 4")
    back = f"put RLIMIT_MEMLOCK of process {call.process.pid} back to 8388608 bytes\n"
    expect(w.kernel_calls().startswith(raised(call, 4096)) and w.kernel_calls().endswith(back), w.kernel_calls())


@test("polkitd", "who may unbind and not revoke takes nothing from a holder")
def no_revoke(w):
    _, path = w.hold(ALLOWED, "group/4")
    revoke = {"policy": "revoke"}
    w.call(NO_REVOKE, "Unbind", "group/4", options=revoke).expect_error(ACCESS_DENIED, "org.vfiod1.revoke")
    w.call(NO_UNBIND, "Unbind", "group/4", options=revoke).expect_error(ACCESS_DENIED, "org.vfiod1.unbind")
    w.call(NO_REVOKE, "Plan", "group/4", operation="unbind", options=revoke).expect_error(ACCESS_DENIED, "org.vfiod1.revoke")
    w.call(NO_REVOKE, "Unbind", "group/4").expect_refusal("Leased", "lease 1")
    w.call(ALLOWED, "GetFds", "0", "0", lease=path).expect_done()


@test("polkitd", "another's lease is refused with a sentence that says whose it is")
def leased(w):
    w.hold(ALLOWED, "group/4", options={"label": "build"})
    for user in (NO_BIND, "root"):
        w.call(user, "Acquire", "group/4").expect_refusal(
            "Leased", f"group 4 is leased to uid {uid_of(ALLOWED)} (lease 1 for 'build')")


@test("polkitd", "files and groups of a lease are for its owner alone, root included")
def not_owner(w):
    _, path = w.hold(ALLOWED, "group/4", "group/9")
    for user in (NO_BIND, "root"):
        w.call(user, "GetFds", "0", "0", lease=path).expect_refusal("NotOwner", f"belongs to uid {uid_of(ALLOWED)}")
        w.call(user, "Add", "group/8", lease=path).expect_refusal("NotOwner", f"uid {uid_of(ALLOWED)}")
        w.call(user, "Remove", "group/9", lease=path).expect_refusal("NotOwner", f"uid {uid_of(ALLOWED)}")
        w.call(user, "Acquire", "group/8", options={"join": path}).expect_refusal("NotOwner", "lease 1")


@test("polkitd", "another's lease is released with the action release-other only")
def release_other(w):
    _, path = w.hold(ALLOWED, "group/4", options={"label": "for games"})
    _, second = w.hold(ALLOWED, "group/9", options={"label": "for others"})
    number = path.rsplit("/", 1)[1]
    w.call(DENIED, "Release", lease=path).expect_error(ACCESS_DENIED, f"may not do this to lease {number} (", "org.vfiod1.release-other")
    w.call(ASKED, "Release", lease=path).expect_error(INTERACTIVE, f"authenticate to do this to lease {number} (", "org.vfiod1.release-other")
    w.call(RELEASER, "Release", lease=second).expect_error(ACCESS_DENIED, "org.vfiod1.release-other")
    w.call(RELEASER, "Release", lease=path).expect_done()
    w.call("root", "Release", lease=second).expect_done()
    wait_until(lambda: "draining" not in w.call("root", "ListLeases").text, "they were released")


@test("polkitd", "example rule: a group of people may use one card, and no other")
def example_group(w):
    w.hold(MEMBER, "group/9")
    w.call(MEMBER, "Acquire", "group/4").expect_error(INTERACTIVE, "0000:03:00.0")
    w.call(MEMBER, "Bind", "group/2").expect_error(INTERACTIVE, "0000:01:00.0")
    w.tool("replace", "0000:07:00.0", "15b3", "101e")
    w.call(MEMBER, "Unbind", "group/9").expect_error(INTERACTIVE, "0000:07:00.0")


@test("polkitd", "example rule: a service may use what is bound and lock some memory, and moves no device")
def example_service(w):
    w.hold(SERVICE, "group/4", options={"memlock": str(64 << 30), "bind": "true"})
    w.call(SERVICE, "Acquire", "group/9", options={"memlock": str((64 << 30) + 1)}).expect_error(
        ACCESS_DENIED, "org.vfiod1.raise-memlock")
    w.call(SERVICE, "Bind", "group/5").expect_error(ACCESS_DENIED, "org.vfiod1.bind")
    w.call(SERVICE, "Acquire", "group/5", options={"bind": "true"}).expect_error(ACCESS_DENIED, "org.vfiod1.bind")
    w.call(SERVICE, "Unbind", "group/9").expect_error(ACCESS_DENIED, "org.vfiod1.unbind")


@test("polkitd", "example rule: an operator may revoke and release what others have, but root")
def example_operator(w):
    revoke = {"policy": "revoke", "timeout": "0"}
    w.call(OPERATOR, "Unbind", "group/4", options=revoke).expect_error(INTERACTIVE, "org.vfiod1.unbind")
    _, path = w.hold(ALLOWED, "group/4")
    w.call(OPERATOR, "Inspect", device="0000:03:00.0").expect_error(INTERACTIVE, "org.vfiod1.inspect")
    w.call(OPERATOR, "Unbind", "group/4", options=revoke).expect_done()
    _, path = w.hold(ALLOWED, "group/9")
    w.call(OPERATOR, "Release", lease=path).expect_done()
    _, path = w.hold("root", "group/8")
    w.call(OPERATOR, "Unbind", "group/8", options=revoke).expect_error(INTERACTIVE, "0000:06:00.0")
    w.call(OPERATOR, "Release", lease=path).expect_error(INTERACTIVE, "org.vfiod1.release-other")


@test("polkitd", "sixteen files go over the bus, seventeen are refused and can be fetched in pages", on_socket=False)
def sixteen_files(w):
    w.tool("many", "30", "13")
    w.tool("many", "31", "14")
    w.stop_vfiod()
    restart_on_same_machine(w)
    call, path = w.hold(ALLOWED, "group/30")
    expect(call.outcome().text.count("device:") == 13, call.outcome().line)
    w.call(ALLOWED, "Acquire", "group/31").expect_refusal("TooManyFds", "17 file descriptors", "16", "defer_fds")
    call, path = w.hold(ALLOWED, "group/31", options={"defer_fds": "true"})
    expect(call.outcome().text == path, call.outcome().line)
    first = w.call(ALLOWED, "GetFds", "0", "16", lease=path).expect_done("container: group:31")
    expect(first.text.count(":") >= 16, first.line)
    w.call(ALLOWED, "GetFds", "0", "0", lease=path).expect_done("group:31")
    w.call(ALLOWED, "GetFds", "0", "17", lease=path).expect_refusal("TooManyFds", "17", "16")
    # The bus has not thrown vfiod out.
    w.call(ALLOWED, "ListLeases").expect_done(path)


def restart_on_same_machine(w, *options):
    with open(w.log, "ab") as log:
        w.vfiod = subprocess.Popen([w.program("fake-vfiod"), "--config", w.directory / "config", *options],
                                   env=w.environment(), stderr=log)
    w.wait_for_name("org.vfiod1")


@test("polkitd", "a lease ends when its holder is killed")
def holder_killed(w):
    before = None
    # The first time opens what stays open, too.
    for _ in range(3):
        call, _ = w.hold(ALLOWED, "group/4")
        call.leave()
        wait_until(lambda: w.call("root", "ListLeases").text == "", "the lease was over")
        before = before or w.count_files_at_rest()
    wait_until(lambda: w.count_files() == before, f"vfiod had {before} files open again")
    w.hold(NO_BIND, "group/4")


@test("polkitd", "nobody but root may take the name, and only our interfaces pass the bus")
def bus_policy(w):
    def run(user, *command):
        return subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", *command],
                              env=w.client_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", check=False)
    taken = subprocess.run([w.program("bus-call"), "--uid", str(uid_of(ALLOWED)), "--own", "org.vfiod1.Other"],
                           env=w.client_environment(), stdout=subprocess.PIPE, encoding="utf-8", check=True)
    expect("done" not in taken.stdout, f"a user took a name: {taken.stdout}")
    w.stop_vfiod()
    taken = subprocess.run([w.program("bus-call"), "--uid", str(uid_of(ALLOWED)), "--own", "org.vfiod1"],
                           env=w.client_environment(), stdout=subprocess.PIPE, encoding="utf-8", check=True)
    expect("done" not in taken.stdout, f"a user took vfiod's name: {taken.stdout}")
    restart_on_same_machine(w)
    call = ("busctl", "--system", "call", "org.vfiod1", "/org/vfiod1")
    done = run(DENIED, *call, "org.freedesktop.DBus.Peer", "Ping")
    expect(done.returncode == 0, done.stdout)
    done = run(DENIED, *call, "org.freedesktop.DBus.Introspectable", "Introspect")
    expect("org.vfiod1.Manager" in done.stdout, done.stdout)
    done = run(DENIED, *call, "org.freedesktop.LogControl1", "Get")
    expect("Access denied" in done.stdout or "rejected" in done.stdout, done.stdout)
    with_file = subprocess.run([w.program("bus-call"), "--uid", str(uid_of(ALLOWED)), "--file", "ListGroups"], stdin=subprocess.DEVNULL,
                               env=w.client_environment(), stdout=subprocess.PIPE, encoding="utf-8", check=True)
    expect(ACCESS_DENIED in with_file.stdout, f"a file came with a call: {with_file.stdout}")


@test("polkitd", "properties can be read by everybody")
def properties(w):
    done = subprocess.run(["setpriv", f"--reuid={DENIED}", "--clear-groups", "busctl", "--system", "get-property",
                           "org.vfiod1", "/org/vfiod1/group/2", "org.vfiod1.Group", "Devices"],
                          env=w.client_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", check=False)
    expect("0000:01:00.0" in done.stdout, done.stdout)


@test("polkitd", "a target that is not there is refused before polkit is asked")
def not_there(w):
    w.call(DENIED, "Bind", "group/99").expect_refusal("NotFound", "99")


# What a caller may do, by CheckAuthorization.

MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
DEVICE_ACTIONS = ["inspect", "acquire", "bind", "unbind", "revoke", "reset", "manage", "assign", "override-safety", "unsafe-noiommu"]


def may(w, user, *targets, **options):
    """{(device, action): answer} of CheckAuthorization."""
    answers = json.loads(w.call(user, "CheckAuthorization", list(targets), options, signature="asa{sv}")
                         .expect_done().text)[0]
    return {(answer["Device"], answer["Action"].removeprefix("org.vfiod1.")): answer for answer in answers}


def expect_answers(answers, result, decider, default, but=()):
    expect(answers, "there are no answers")
    for key, answer in answers.items():
        if key[1] not in but:
            expect((answer["Result"], answer["Decider"], answer["Default"]) == (result, decider, default), f"{answer}")


@test("polkitd", "who asks what he may do is told for each device and action, and what decides: the default or a rule")
def survey(w):
    answers = may(w, ASKED, "group/2")
    expect(set(answers) == {("", "list"), ("", "raise-memlock"),
                            *((device, action) for device in ("0000:01:00.0", "0000:01:00.1") for action in DEVICE_ACTIONS)},
           f"{set(answers)}")
    expect_answers(answers, "challenge", "default", "auth_admin", {"list"})
    expect_answers({("", "list"): answers["", "list"]}, "yes", "default", "yes")
    expect("auth_admin" in answers["0000:01:00.0", "bind"]["Reason"], f"{answers['0000:01:00.0', 'bind']}")
    expect_answers(may(w, ALLOWED, "group/2"), "yes", "rule", "auth_admin", {"list"})
    denied = may(w, DENIED, "group/2")
    expect_answers(denied, "no", "rule", "auth_admin", {"list"})
    expect_answers({("", "list"): denied["", "list"]}, "no", "rule", "yes")
    one = may(w, ONE_DEVICE, "group/2", actions=["org.vfiod1.acquire"])
    expect({key[0]: answer["Result"] for key, answer in one.items()} == {"0000:01:00.0": "yes", "0000:01:00.1": "no"}, f"{one}")
    expect({answer["Session"] for answer in answers.values()} == {"any"}, f"{answers}")
    w.expect_untouched()


@test("polkitd", "rules are told the same of a question as the operation would tell them")
def survey_details(w):
    def one(action, *targets, **options):
        return may(w, EXACT, *targets, actions=[f"org.vfiod1.{action}"], **options)
    expect_answers(one("acquire", "group/9", label="a label"), "yes", "rule", "auth_admin")
    expect_answers(one("acquire", "group/9", label="another"), "no", "rule", "auth_admin")
    expect_answers(one("acquire", "group/9", label="a label", mode="iommufd"), "no", "rule", "auth_admin")
    expect_answers(one("raise-memlock", "group/4", label="much", memlock=1048576), "yes", "rule", "auth_admin")
    expect_answers(one("raise-memlock", "group/4", label="much", memlock=1048577), "no", "rule", "auth_admin")
    _, path = w.hold(ALLOWED, "group/4", options={"label": "for games"})
    other = may(w, RELEASER, "group/4", actions=["org.vfiod1.release-other"])
    expect_answers(other, "yes", "rule", "auth_admin")
    expect([answer["Lease"] for answer in other.values()] == [path], f"{other}")


@test("polkitd", "root and owners are told that nobody need be asked")
def survey_alone(w):
    w.hold(ALLOWED, "group/4")
    answers = may(w, "root", "group/4")
    expect_answers(answers, "yes", "root", "")
    expect(("", "release-other") in answers, f"{answers}")
    answers = may(w, ALLOWED, "group/4")
    for key in (("0000:03:00.0", "inspect"), ("0000:03:00.0", "reset"), ("", "release-other")):
        expect_answers({key: answers[key]}, "yes", "owner", "")
    expect_answers(answers, "yes", "rule", "auth_admin", {"list", "inspect", "reset", "release-other"})


@test("polkitd", "without a target every action is answered once, as such")
def survey_general(w):
    answers = may(w, ASKED)
    expect(set(answers) == {("", action) for action in [*DEVICE_ACTIONS, "list", "release-other", "raise-memlock"]}, f"{answers}")
    expect_answers(answers, "challenge", "default", "auth_admin", {"list"})


@test("polkitd", "vfioctl auth prints what the user may do, and its status says whether that is all")
def vfioctl_auth(w):
    def run(user, *arguments):
        return subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", w.program("vfioctl"), "auth", *arguments],
                              env=w.client_environment(), stdout=subprocess.PIPE, encoding="utf-8", check=False)
    done = run(ALLOWED, "group/4", "-a", "acquire")
    expect(done.returncode == 0 and "0000:03:00.0  acquire  yes" in done.stdout, f"{done}")
    done = run(ASKED, "group/4", "--action=list", "--action=bind")
    expect(done.returncode == 1 and "bind    password  the default of the action is auth_admin" in done.stdout, f"{done}")
    done = run(DENIED, "--json")
    answers = json.loads(done.stdout)
    expect(done.returncode == 1 and len(answers) == 13 and {answer["Result"] for answer in answers} == {"no"}, f"{done}")
    expect(run(ALLOWED, "group/4", "-a", "dance").returncode == 3, "an action that there is not was asked about")


@test("polkitd", "what makes no sense to ask is refused, and so is too much of it")
def survey_refused(w):
    def ask(targets, options):
        return w.call(ALLOWED, "CheckAuthorization", targets, options, signature="asa{sv}")
    ask(["group/2"], {"actions": ["org.vfiod1.dance"]}).expect_refusal("InvalidOptionValue", "org.vfiod1.dance")
    ask(["group/2"], {"bind": True}).expect_refusal("InvalidOption", "bind")
    ask(["group/99"], {}).expect_refusal("NotFound", "99")
    ask(["group/2", "group/2"], {}).expect_refusal("DuplicateTarget")
    w.tool("many", "30", "30")
    ask(["group/30"], {}).expect_refusal("LimitExceeded", "302 questions", "256")
    expect(len(may(w, ALLOWED, "group/30", actions=["org.vfiod1.acquire"])) == 30, "not every device was asked about")


# Without polkit.

@test("none", "who asks what he may do without polkit is told that only root may")
def survey_no_polkit(w):
    answers = may(w, ALLOWED, "group/2")
    expect_answers(answers, "no", "no-polkit", "")
    expect("only root" in answers["0000:01:00.0", "bind"]["Reason"], f"{answers}")
    expect_answers(may(w, "root", "group/2"), "yes", "root", "")


@test("none", "without polkit only root may do anything, and the sentence says why")
def no_polkit(w):
    for member, targets, action in (("ListGroups", (), "list"), ("Bind", ("group/2",), "bind"),
                                    ("Acquire", ("group/4",), "acquire")):
        w.call(ALLOWED, member, *targets).expect_error(
            ACCESS_DENIED, "polkit is not there to ask, so only root may do this", f"org.vfiod1.{action}")
    w.expect_untouched()
    w.call("root", "ListGroups").expect_done()
    w.call("root", "Bind", "group/2").expect_done()
    w.hold("root", "group/2")


@test("none", "without polkit root may raise the limit of locked memory of its process")
def no_polkit_memlock(w):
    call, _ = w.hold("root", "group/4", options={"memlock": "4096"})
    expect(w.kernel_calls().startswith(raised(call, 4096)), w.kernel_calls())


@test("none", "without polkit another's lease is released by root only")
def no_polkit_release(w):
    _, path = w.hold("root", "group/4")
    w.call(ALLOWED, "Release", lease=path).expect_error(ACCESS_DENIED, "org.vfiod1.release-other")
    w.call("root", "Release", lease=path).expect_done()


# With the scripted polkit.

@test("scripted", "who asks what he may do never brings a person a question, even where the call would allow it")
def survey_asks_nobody(w):
    w.polkit.tell("default challenge")
    answers = w.call(ALLOWED, "CheckAuthorization", ["group/4"], {}, signature="asa{sv}", interactive=True).expect_done()
    expect(answers.text.count('"Result":"challenge"') == len(w.polkit.checks()) == 12, answers.line)
    expect({check[3] for check in w.polkit.checks()} == {"0"}, f"{w.polkit.checks()}")


@test("scripted", "an answer that cannot be had does not keep the others from being told")
def survey_errors(w):
    w.polkit.tell("on 0000:01:00.0 fail", "on 0000:01:00.1 nonsense", "on org.vfiod1.list deny")
    answers = may(w, ALLOWED, "group/2")
    for key, answer in answers.items():
        expected = {"0000:01:00.0": ("no", "error", "out of sorts"), "0000:01:00.1": ("no", "error", "makes no sense"),
                    "": ("no" if key[1] == "list" else "yes", "polkit", "polkit says so")}[key[0]]
        expect((answer["Result"], answer["Decider"]) == expected[:2] and expected[2] in answer["Reason"], f"{answer}")


@test("scripted", "a password that polkit keeps is told from a rule")
def survey_kept(w):
    w.polkit.tell("on org.vfiod1.acquire kept")
    answers = may(w, ALLOWED, "group/4", actions=["org.vfiod1.acquire", "org.vfiod1.bind"])
    expect([answer["Decider"] for answer in answers.values()] == ["kept", "polkit"], f"{answers}")


@test("scripted", "polkit that dies while it is asked what somebody may do is absent for the rest, and for no later call")
def survey_dies(w):
    w.polkit.tell("on org.vfiod1.acquire die")
    answers = may(w, ALLOWED, "group/4", actions=["org.vfiod1.list", "org.vfiod1.acquire", "org.vfiod1.bind"])
    expect([answer["Decider"] for answer in answers.values()] == ["polkit", "no-polkit", "no-polkit"], f"{answers}")
    w.polkit = ScriptedPolkit(w)
    expect_answers(may(w, ALLOWED, "group/4"), "yes", "polkit", "")


@test("scripted", "polkit that hangs while it is asked what somebody may do is given up once, not for each question")
def survey_hangs(w):
    w.polkit.tell("default hang")
    answers = may(w, ALLOWED, "group/2")
    expect_answers(answers, "no", "error", "")
    expect("did not answer in time" in answers["0000:01:00.0", "bind"]["Reason"], f"{answers}")
    expect(len(w.polkit.checks()) == 1, f"{w.polkit.checks()}")
    wait_until(lambda: w.polkit.cancels() == [w.polkit.checks()[0][0]], "the question was withdrawn")


@test("scripted", "who leaves while he is told what he may do is forgotten")
def survey_left(w):
    w.polkit.tell("default hang")
    slow = w.begin(ALLOWED, "CheckAuthorization", ["group/2"], {}, signature="asa{sv}")
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    slow.leave()
    wait_until(lambda: w.polkit.cancels() == [w.polkit.checks()[0][0]], "the question was withdrawn")
    w.polkit.tell("forget", "answer allow")
    w.call(ALLOWED, "ListGroups").expect_done()
    expect(len(w.polkit.checks()) == 2, f"{w.polkit.checks()}")

def details_of(check):
    return dict(part.split("=", 1) for part in check[4].split("|") if part)


@test("scripted", "polkit is asked about the caller by its name on the bus, or by its process, once for each member but the bridge")
def questions(w):
    call = w.begin(ALLOWED, "Bind", "0000:01:00.1", hold=True)
    call.outcome().expect_done()
    checks = w.polkit.checks()
    expect(len(checks) == 2, f"{checks}")
    for check, device in zip(checks, ("0000:01:00.0", "0000:01:00.1")):
        expect(check[1] == "org.vfiod1.bind", f"{check}")
        w.expect_subject(check[2], call, ALLOWED)
        expect(check[3] == "0", f"a question that may not be asked of a person: {check}")
        expect(details_of(check)["device"] == device, f"{check}")
        expect(set(details_of(check)) == {"device", "vendor", "class", "group", "driver"}, f"{check}")
    expect(checks[0][0] != checks[1][0] and checks[0][0], f"cancellation ids: {checks}")


@test("scripted", "a person is asked only where polkit says so, and the caller allows it")
def interactive_flag(w):
    w.polkit.tell("default challenge")
    w.call(ALLOWED, "Bind", "group/3", interactive=True).expect_error(ACCESS_DENIED, "0000:02:00.0")
    w.call(ALLOWED, "Bind", "group/3").expect_error(INTERACTIVE, "0000:02:00.0")
    w.polkit.tell("default deny")
    w.call(ALLOWED, "Bind", "group/3", interactive=True).expect_error(ACCESS_DENIED, "0000:02:00.0")
    expect([check[3] for check in w.polkit.checks()] == ["0", "1", "0", "0"], f"{w.polkit.checks()}")


@test("scripted", "acquire with bind asks both actions, bind for those alone that would move")
def both_actions(w):
    w.call(ALLOWED, "Acquire", "group/2", "group/4", options={"bind": "true", "label": "x y"}).expect_done()
    asked = [(check[1], details_of(check)["device"]) for check in w.polkit.checks()]
    expect(asked == [("org.vfiod1.acquire", "0000:01:00.0"), ("org.vfiod1.bind", "0000:01:00.0"),
                     ("org.vfiod1.acquire", "0000:01:00.1"), ("org.vfiod1.bind", "0000:01:00.1"),
                     ("org.vfiod1.acquire", "0000:03:00.0")], f"{asked}")
    for check in w.polkit.checks():
        expect(details_of(check)["label"] == "x y" and details_of(check)["mode"] == "group", f"{check}")


def modes_of(checks):
    return [details_of(check)["mode"] for check in checks]


@test("scripted", "polkit is told which mode auto means, and the one that was asked for by name")
def mode_detail(w):
    w.hold(ALLOWED, "group/4")
    w.tool("iommufd", "on")
    _, path = w.hold(ALLOWED, "group/9")
    w.call(ALLOWED, "Plan", "group/5", operation="acquire", options={"bind": "true"}).expect_done("open an iommufd")
    w.call(ALLOWED, "Acquire", "group/5", options={"bind": "true", "mode": "group"}).expect_done("container:")
    expect(modes_of(w.polkit.checks()) == ["group", "iommufd", "iommufd", "iommufd", "group", "group"],
           f"{modes_of(w.polkit.checks())}")
    w.polkit.lines.clear()
    w.call(ALLOWED, "Add", "0000:06:00.0", lease=path).expect_done("cdev:0000:06:00.0")
    expect(set(modes_of(w.polkit.checks())) == {"iommufd"}, f"{w.polkit.checks()}")


@test("scripted", "the mode that polkit was told is the one that is done, whatever can be had by then")
def mode_is_settled(w):
    w.polkit.tell("on 0000:03:00.0 hang")
    slow = w.begin(ALLOWED, "Acquire", "group/4", hold=True)
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    w.tool("iommufd", "on")
    w.polkit.tell("forget", "answer allow")
    slow.outcome().expect_done("container:")
    w.polkit.tell("on 0000:07:00.0 hang")
    slow = w.begin(ALLOWED, "Acquire", "group/9", hold=True)
    wait_until(lambda: len(w.polkit.checks()) == 2, "polkit was asked again")
    w.tool("iommufd", "off")
    w.polkit.tell("forget", "answer allow")
    slow.outcome().expect_refusal("Unsupported", "this kernel has no iommufd")
    expect(modes_of(w.polkit.checks()) == ["group", "iommufd"], f"{w.polkit.checks()}")


@test("scripted", "a plan asks what its operation asks")
def plan_questions(w):
    for operation in ("bind", "unbind", "acquire"):
        w.call(ALLOWED, "Plan", "group/4", operation=operation).expect_done()
    expect([check[1] for check in w.polkit.checks()] ==
           ["org.vfiod1.bind", "org.vfiod1.unbind", "org.vfiod1.acquire"], f"{w.polkit.checks()}")


@test("scripted", "a device off PCI has empty ids")
def off_pci(w):
    w.polkit.tell("default deny")
    w.call(ALLOWED, "Bind", "10000000.gpu").expect_error(ACCESS_DENIED, "10000000.gpu")
    expect(details_of(w.polkit.checks()[0]) ==
           {"device": "10000000.gpu", "vendor": "", "class": "", "driver": "panfrost", "group": "7"},
           f"{w.polkit.checks()}")


def begin_managing(w, user, path, interface, member, signature, *arguments):
    """Another method than those of targets."""
    return w.begin(user, member, *arguments, signature=signature, path=path, interface=interface)


def begin_create_mdev(w, user):
    return begin_managing(w, user, "/org/vfiod1", "org.vfiod1.Manager", "CreateMdev", "sssa{sv}", "mtty", "mtty-2", "", {})


def begin_set_vfs(w, user, count):
    return begin_managing(w, user, "/org/vfiod1/device/_30000_3a02_3a00_2e0", "org.vfiod1.Device", "SetVfs", "ua{sv}", count, {})


@test("scripted", "the parent of a mediated device is asked about by its name, which is all that there is to tell of it")
def mdev_parent(w):
    w.tool("mdev", MDEV)
    w.polkit.lines.clear()
    begin_create_mdev(w, ALLOWED).outcome().expect_done()
    asked = [(check[1], details_of(check)) for check in w.polkit.checks()]
    expect(asked == [("org.vfiod1.manage", {"device": "mtty", "vendor": "", "class": "", "driver": ""})], f"{asked}")


@test("scripted", "a parent of mediated devices that is gone when polkit answers is not found")
def mdev_parent_gone(w):
    w.tool("mdev", MDEV)
    w.polkit.tell("on mtty hang")
    slow = begin_create_mdev(w, ALLOWED)
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    (w.machine / "sys/class/mdev_bus/mtty").unlink()
    w.polkit.tell("answer allow")
    slow.outcome().expect_refusal("NotFound", "mtty")
    w.expect_untouched()


@test("scripted", "virtual functions are asked about by their device alone, and what has become of that by the answer counts")
def vfs_meanwhile(w):
    w.polkit.tell("on 0000:02:00.0 hang")
    slow = begin_set_vfs(w, ALLOWED, 2)
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    details = details_of(w.polkit.checks()[0])
    expect((w.polkit.checks()[0][1], details["device"], details["driver"]) == ("org.vfiod1.manage", "0000:02:00.0", "nvme"),
           f"{w.polkit.checks()}")
    w.tool("unbind", "0000:02:00.0", "nvme")
    w.polkit.tell("answer allow")
    slow.outcome().expect_refusal("Unsupported", "0000:02:00.0 is bound to no driver")
    w.expect_untouched()


@test("scripted", "the first no ends the questions")
def first_no(w):
    w.polkit.tell("on 0000:01:00.0 deny")
    w.call(ALLOWED, "Bind", "group/2").expect_error(ACCESS_DENIED, "0000:01:00.0")
    expect(len(w.polkit.checks()) == 1, f"{w.polkit.checks()}")
    w.expect_untouched()


@test("scripted", "a no to the last member is a no to all")
def last_no(w):
    w.polkit.tell("on 0000:01:00.1 deny")
    w.call(ALLOWED, "Bind", "group/2").expect_error(ACCESS_DENIED, "0000:01:00.1")
    w.expect_untouched()


@test("scripted", "root is not asked, and neither is an owner about his lease")
def not_asked(w):
    w.call("root", "Bind", "group/2").expect_done()
    w.call("root", "ListGroups").expect_done()
    _, path = w.hold(ALLOWED, "group/4")
    w.polkit.lines.clear()
    w.call(ALLOWED, "GetFds", "0", "0", lease=path).expect_done()
    w.call(ALLOWED, "Release", lease=path).expect_done()
    expect(w.polkit.checks() == [], f"{w.polkit.checks()}")


@test("scripted", "release-other is asked with the owner and the label of the lease")
def release_other_details(w):
    _, path = w.hold(ALLOWED, "group/4", options={"label": "build 7"})
    w.polkit.lines.clear()
    w.call(OTHER, "Release", lease=path).expect_done()
    expect([(check[1], details_of(check)) for check in w.polkit.checks()] ==
           [("org.vfiod1.release-other", {"owner": str(uid_of(ALLOWED)), "label": "build 7", "mode": "group"})],
           f"{w.polkit.checks()}")


@test("scripted", "of a group that is leased, polkit is told whose it is, for what and how before it is taken or looked into")
def lease_details(w):
    w.hold(ALLOWED, "group/4", options={"label": "build 7"})
    lease = {"owner": str(uid_of(ALLOWED)), "label": "build 7", "mode": "group"}
    w.polkit.lines.clear()
    w.call(OTHER, "Inspect", device="0000:03:00.0")
    w.call(OTHER, "Unbind", "group/4").expect_refusal("Leased")
    w.call(OTHER, "Unbind", "group/4", options={"policy": "revoke", "timeout": "0"}).expect_done()
    w.call(OTHER, "Unbind", "group/9").expect_done()
    asked = [(check[1].rpartition(".")[2], {key: details_of(check).get(key) for key in lease}) for check in w.polkit.checks()]
    nobody = dict.fromkeys(lease)
    expect(asked == [("inspect", lease), ("unbind", lease), ("unbind", lease), ("revoke", lease), ("unbind", nobody)],
           f"{asked}")


@test("scripted", "a lease that is another one when polkit answers was not what was to be taken")
def lease_changed_meanwhile(w):
    holder, _ = w.hold(ALLOWED, "group/4")
    w.polkit.tell("on org.vfiod1.revoke hang")
    slow = w.begin(OTHER, "Unbind", "group/4", options={"policy": "revoke", "timeout": "0"})
    wait_until(lambda: w.polkit.checks()[-1][1] == "org.vfiod1.revoke", "polkit was asked")
    holder.leave()
    wait_until(lambda: w.call("root", "ListLeases").text == "", "the lease was over")
    w.hold("root", "group/4")
    w.polkit.tell("answer allow")
    slow.outcome().expect_refusal("Changed", "0000:03:00.0")
    expect("/org/vfiod1/lease/2" in w.call("root", "ListLeases").text, "root has lost its lease")


@test("scripted", "while a person thinks, others are answered, and other calls of the same caller")
def others_meanwhile(w):
    w.polkit.tell("on org.vfiod1.bind ask")
    slow = w.begin(ALLOWED, "Bind", "group/2", interactive=True)
    wait_until(lambda: len(w.polkit.checks()) == 2, "the person was asked")
    w.call(ALLOWED, "ListGroups").expect_done()
    w.call(OTHER, "Explain", "group/2").expect_done()
    w.call("root", "Bind", "group/3").expect_done()
    w.hold(OTHER, "group/4")
    expect(not slow.is_answered(), "the slow one was answered")
    w.polkit.tell("forget", "answer allow")
    slow.outcome().expect_done()
    expect("bind 0000:01:00.0 to vfio-pci" in w.kernel_calls(), "nothing was bound")


@test("scripted", "who leaves just when polkit has answered is not waited for", on_socket=False)
def leaves_with_the_answer(w):
    w.hold("root", "group/4")
    w.polkit.tell("on org.vfiod1.unbind hang")
    slow = w.begin(ALLOWED, "Unbind", "group/4", options={"policy": "wait"})
    wait_until(lambda: any(check[1] == "org.vfiod1.unbind" for check in w.polkit.checks()), "polkit was asked")
    # So that it finds the answer and the caller's end together.
    w.vfiod.send_signal(signal.SIGSTOP)
    w.polkit.tell("forget", "answer allow")
    w.polkit.sync()
    slow.leave()
    wait_until(lambda: not w.has_name(slow.name()), "the bus saw that it was gone")
    w.vfiod.send_signal(signal.SIGCONT)
    wait_until(lambda: "Leased" in w.call("root", "Acquire", "group/4").name, "nobody waited for the lease")


@test("scripted", "nor where vfiod has had others watched by the bus for long")
def leaves_with_the_answer_beside_others(w):
    w.hold("root", "group/9")
    w.begin("root", "Unbind", "group/9", options={"policy": "wait"})
    wait_until(lambda: "Busy" in (w.call("root", "Acquire", "group/9").name or ""), "somebody waited")
    leaves_with_the_answer(w)


@test("scripted", "who leaves while polkit thinks has his question withdrawn and is forgotten",
      {"limits": {"requests_per_uid": 1}})
def leaves_meanwhile(w):
    w.polkit.tell("on org.vfiod1.bind hang")
    w.call(ALLOWED, "ListGroups").expect_done()
    before = w.count_files_at_rest()
    slow = w.begin(ALLOWED, "Bind", "group/2")
    wait_until(lambda: len(w.polkit.checks()) == 2, "polkit was asked")
    w.call(ALLOWED, "ListGroups").expect_refusal("LimitExceeded", "limits.requests_per_uid")
    slow.leave()
    wait_until(lambda: w.polkit.cancels() == [w.polkit.checks()[-1][0]], "the question was withdrawn")
    w.call(ALLOWED, "ListGroups").expect_done()
    wait_until(lambda: w.count_files() == before, f"vfiod had {before} files open again")
    w.expect_untouched()


@test("scripted", "however many wait for polkit, vfiod asks the bus once to tell who leaves", on_socket=False)
def one_match_for_all(w):
    w.polkit.tell("default hang")
    with w.bus_that('<limit name="max_match_rules_per_connection">1</limit>'):
        calls = [w.begin(user, "ListGroups") for user in (ALLOWED, OTHER, ASKED, DENIED)]
        wait_until(lambda: len(w.polkit.checks()) == 4, "polkit was asked")
        calls += [w.begin(user, "ListGroups") for user in (ALLOWED, OTHER)]
        calls.pop(0).leave()
        wait_until(lambda: len(w.polkit.cancels()) == 1, "the question was withdrawn")
        w.polkit.tell("forget", "answer allow")
        for call in calls:
            call.outcome().expect_done()


@test("scripted", "a bus that does not want to tell who leaves is asked again the next time", on_socket=False)
def no_match(w):
    w.polkit.tell("default hang")
    with w.bus_that('<limit name="max_match_rules_per_connection">0</limit>'):
        refused = w.begin(ALLOWED, "ListGroups")
        wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
        w.call("root", "ListGroups").expect_done()
    slow = w.begin(OTHER, "ListGroups")
    wait_until(lambda: len(w.polkit.checks()) == 2, "polkit was asked")
    slow.leave()
    wait_until(lambda: w.polkit.cancels() == [w.polkit.checks()[-1][0]], "the question was withdrawn")
    w.polkit.tell("forget", "answer allow")
    refused.outcome().expect_done()


@test("scripted", "nobody is taken for gone because somebody else says so")
def forged_leaving(w):
    w.polkit.tell("on org.vfiod1.bind hang")
    slow = w.begin(ALLOWED, "Bind", "group/2", socket=False)
    name = slow.name()
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    subprocess.run(["setpriv", f"--reuid={DENIED}", "--clear-groups", "dbus-send", "--system", "--type=signal", "--dest=org.vfiod1",
                    "/org/freedesktop/DBus", "org.freedesktop.DBus.NameOwnerChanged", f"string:{name}", f"string:{name}", "string:"],
                   env=w.client_environment(), check=True)
    w.call("root", "ListGroups", socket=False).expect_done()
    expect(not w.polkit.cancels(), f"the question was withdrawn: {w.polkit.cancels()}")
    w.polkit.tell("forget", "answer allow")
    slow.outcome().expect_done()


def one_too_many(w, users, *words):
    """Of a call by each of them, while polkit hangs, one is refused with those words. The others, who wait, by their device."""
    w.polkit.tell("on org.vfiod1.bind hang")
    calls = {}
    for user, device in zip(users, ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0")):
        # Before that, the bus may not have said yet whose the others are, which has a limit and words of its own.
        wait_until(lambda: len(w.polkit.checks()) == len(set(users[:len(calls)])), "polkit was asked for each user")
        calls[device] = w.begin(user, "Bind", device)
    wait_until(lambda: any(call.is_answered() for call in calls.values()), "one was refused")
    refused = [device for device, call in calls.items() if call.is_answered()]
    expect(len(refused) == 1, f"{refused} were answered")
    calls.pop(refused[0]).outcome().expect_refusal("LimitExceeded", *words)
    wait_until(lambda: len(w.polkit.checks()) == min(len(set(users)), len(calls)), "polkit was asked about the others, one for each user")
    return calls


def expect_all_denied(w, calls):
    w.polkit.tell("forget", "default deny", "answer deny")
    for call in calls.values():
        call.outcome().expect_error(ACCESS_DENIED, "may not do this")
    w.expect_untouched()


@test("scripted", "calls that wait for polkit are limited for each user, not for all",
      {"limits": {"requests_per_uid": 2}})
def limit_of_waiting(w):
    waiting = one_too_many(w, [ALLOWED] * 3, f"uid {uid_of(ALLOWED)} has 2 calls", "limits.requests_per_uid")
    expect(len(w.polkit.checks()) == 1, f"more than one question of a user at once: {w.polkit.checks()}")
    w.call(OTHER, "ListGroups").expect_done()
    w.call("root", "ListGroups").expect_done()
    expect_all_denied(w, waiting)
    w.polkit.tell("forget")
    w.call(ALLOWED, "ListGroups").expect_done()


@test("scripted", "questions of one user that wait for polkit are limited", {"limits": {"questions_per_uid": 2}})
def limit_of_questions(w):
    waiting = one_too_many(w, [ALLOWED] * 3, f"uid {uid_of(ALLOWED)} has 2 questions", "limits.questions_per_uid")
    w.call(OTHER, "ListGroups").expect_done()
    expect_all_denied(w, waiting)


@test("scripted", "questions of all users that wait for polkit are limited, but for who has none", {"limits": {"questions": 2}})
def limit_of_all_questions(w):
    waiting = one_too_many(w, [ALLOWED, OTHER, ALLOWED], "2 questions wait for polkit", "limits.questions)")
    w.call(RELEASER, "ListGroups").expect_done()
    expect_all_denied(w, waiting)


@test("scripted", "questions of users who have no other are limited to twice as many", {"limits": {"questions": 1}})
def limit_of_first_questions(w):
    expect_all_denied(w, one_too_many(w, [ALLOWED, OTHER, RELEASER], "1 questions wait for polkit", "limits.questions)"))


@test("scripted", "calls of all users are limited, but for who has none", {"limits": {"requests": 2}})
def limit_of_requests(w):
    waiting = one_too_many(w, [ALLOWED, OTHER, ALLOWED], "2 calls are waiting", "limits.requests)")
    w.call(RELEASER, "ListGroups").expect_done()
    expect_all_denied(w, waiting)


@test("scripted", "calls of users who have no other are limited to twice as many, but for root", {"limits": {"requests": 1}})
def limit_of_first_requests(w):
    waiting = one_too_many(w, [ALLOWED, OTHER, RELEASER], "1 calls are waiting", "limits.requests)")
    w.call("root", "ListGroups").expect_done()
    expect_all_denied(w, waiting)


@test("scripted", "unbinds that wait for holders are limited for each user", {"limits": {"waits_per_uid": 1}})
def limit_of_waits(w):
    wait = {"policy": "wait", "timeout": "600000"}
    for group in ("group/4", "group/9"):
        w.hold("root", group)
    w.begin(ALLOWED, "Unbind", "group/4", options=wait)
    wait_until(lambda: "Busy" in (w.call("root", "Acquire", "group/4").name or ""), "the first one waited")
    w.call(ALLOWED, "Unbind", "group/9", options=wait).expect_refusal("LimitExceeded", "limits.waits_per_uid")
    w.begin(OTHER, "Unbind", "group/9", options=wait)
    wait_until(lambda: "Busy" in (w.call("root", "Acquire", "group/9").name or ""), "the other one waited")


# As nice as a process can be.
NICEST = 19


def begin_searches(w, user, n):
    """As many as are under way for one, and others behind them."""
    (w.machine / "faults" / "look any").write_text("0")
    return [w.begin(user, "ListHolders", ["group/4"], signature="as") for _ in range(n)]


@test("scripted", "searches of a user are no operations, and in nobody's way", {"limits": {"operations": 2, "operations_per_uid": 1}})
def searches_in_line(w):
    searches = begin_searches(w, ALLOWED, 6)
    waiting = w.machine / "faults" / "waiting"
    wait_until(lambda: waiting.exists() and waiting.read_text() == "look", "a search was under way")
    w.call("root", "Bind", "group/3").expect_done()
    w.call(OTHER, "Bind", "group/2").expect_done()
    w.call(ALLOWED, "Acquire", "group/9").expect_done()
    expect(not any(search.is_answered() for search in searches), "a search was answered")
    (w.machine / "faults" / "look any").unlink()
    for search in searches:
        search.outcome().expect_done()


@test("scripted", "a search for a client leaves the processors to whoever else wants them")
def searches_yield(w):
    own = os.getpriority(os.PRIO_PROCESS, w.vfiod.pid)
    search, = begin_searches(w, ALLOWED, 1)
    wait_until(lambda: w.worker_niceness() == [min(own + 10, NICEST)], "the search was under way, and let others go first")
    (w.machine / "faults" / "look any").unlink()
    search.outcome().expect_done()
    fault = w.machine / "faults" / "open-group 4"
    fault.write_text("0")
    w.begin(ALLOWED, "Acquire", "group/4")
    wait_until(lambda: w.worker_niceness() == [own], "what changes something is done as fast as can be")
    fault.unlink()


@test("scripted", "who leaves while his search waits in line is forgotten", {"limits": {"requests_per_uid": 4}, "step_deadline_ms": 600000})
def search_left(w):
    # The deadline: he is forgotten because he has left, not because vfiod has given the searches up.
    # Nothing else may be asked meanwhile, or it would have the place of one of them.
    searches = begin_searches(w, ALLOWED, 5)
    wait_until(lambda: any(search.is_answered() for search in searches), "four were under way or waited, and the fifth was refused")
    # Two of the four are under way; whichever they are, two of these leave the line.
    for search in searches:
        search.leave()
    wait_until(lambda: not w.call(ALLOWED, "ListGroups").name, "those in line were forgotten")
    expect((w.machine / "faults" / "look any").exists(), "the searches under way went on")
    (w.machine / "faults" / "look any").unlink()
    w.call(ALLOWED, "ListHolders", ["group/4"], signature="as").expect_done()


def count_leases(w):
    return w.call("root", "ListLeases").text.count("lease")


def wait_for_next_lease(w, path):
    """It is held: what was acquired waits for room, if it waits."""
    following = f"/org/vfiod1/lease/{int(path.rpartition('/')[2]) + 1}"
    wait_until(lambda: "held" in w.call("root", "Get", "org.vfiod1.Lease", "State", signature="ss", path=following,
                                        interface="org.freedesktop.DBus.Properties").text, "the next lease was held")


def ask_without_reading(w, user, path, times):
    """Answers of three files each. They stay with the bus, since the socket behind it is full."""
    slow = w.begin(user, "GetFds", "0", "0", lease=path, unread=times, fill=not w.on_socket)
    wait_until(lambda: "sent\n" in slow.lines, "three files were asked for, many times")
    for _ in range(3):
        w.call("root", "ListGroups").expect_done()
    return slow


def have_little_patience(w):
    (w.machine / "patience").write_text(str(BUS_PATIENCE))


def read_on(slow):
    slow.process.stdin.write("read\n")
    slow.process.stdin.flush()


def expect_read(slow, times):
    wait_until(lambda: len(slow.lines) == 2 + times, "all was answered")
    outcomes = [Outcome(line) for line in slow.lines[2:]]
    for outcome in outcomes:
        outcome.expect_done("device:0000:03:00.0")


FEW_UNREAD = {"limits": {"fds_in_flight_per_uid": 16, "bus_fds_in_flight_per_uid": 16}}


@test("scripted", "files that are sent and not read are limited for each user, and free again when they are read", FEW_UNREAD)
def limit_of_unread_files(w):
    have_little_patience(w)
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 6)
    key = "limits.fds_in_flight_per_uid"
    if not w.on_socket:
        key = "limits.bus_fds_in_flight_per_uid"
        time.sleep(BUS_PATIENCE + 1)
    read_on(slow)
    wait_until(lambda: len(slow.lines) == 2 + 6, "all was answered")
    outcomes = [Outcome(line) for line in slow.lines[2:]]
    for outcome in outcomes[:5]:
        outcome.expect_done("device:0000:03:00.0")
    outcomes[5].expect_refusal("LimitExceeded", f"uid {uid_of(ALLOWED)} would have 18 files", key)
    w.call(ALLOWED, "GetFds", "0", "0", lease=path).expect_done("device:0000:03:00.0")


@test("scripted", "files for which the bus has no room wait until others are read", FEW_UNREAD, on_socket=False)
def waits_for_room(w):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 6)
    read_on(slow)
    expect_read(slow, 6)


@test("scripted", "who has not read his files keeps nobody else from getting some", FEW_UNREAD, on_socket=False)
def waits_alone(w):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 6)
    w.hold(OTHER, "group/9")
    # His last answer was not refused meanwhile.
    read_on(slow)
    expect_read(slow, 6)


@test("scripted", "when what one has not read is all that the bus may have, the others wait for him",
      {"limits": {"bus_fds_in_flight": 16}}, on_socket=False)
def waits_for_others(w):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 5)
    other = w.begin(OTHER, "Acquire", "group/9")
    wait_for_next_lease(w, path)
    time.sleep(1)
    expect(not other.is_answered(), "it was not waited for")
    read_on(slow)
    other.outcome().expect_done("device:0000:07:00.0")
    expect_read(slow, 5)


@test("scripted", "who asks for many files is not passed over by those who ask for few", {"limits": {"bus_fds_in_flight": 16}},
      on_socket=False)
def waits_in_line(w, first=OTHER):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 4)
    calls = [w.begin(first, "Acquire", "group/2", options={"bind": "true"})]
    wait_for_next_lease(w, path)
    calls.append(w.begin(ALLOWED, "GetFds", "0", "0", lease=path))
    time.sleep(1)
    expect(not any(call.is_answered() for call in calls), "one was not waited for")
    read_on(slow)
    for call in calls:
        call.outcome().expect_done()
    expect_read(slow, 4)


@test("scripted", "nor by those of his own", FEW_UNREAD, on_socket=False)
def waits_in_own_line(w):
    waits_in_line(w, first=ALLOWED)


@test("scripted", "who waits for his own files to be read is in nobody's way though there is no room for him either",
      {"limits": {"bus_fds_in_flight": 19, "bus_fds_in_flight_per_uid": 16}}, on_socket=False)
def waits_beside_the_line(w):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 5)
    much = w.begin(ALLOWED, "Acquire", "group/2", options={"bind": "true"})
    wait_for_next_lease(w, path)
    w.hold(OTHER, "group/9")
    expect(not much.is_answered(), "it was not waited for")
    read_on(slow)
    much.outcome().expect_done()
    expect_read(slow, 5)


@test("scripted", "files of a lease that ends while they wait for room are not handed over", FEW_UNREAD, on_socket=False)
def ends_while_it_waits(w):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 6)
    w.call(ALLOWED, "Release", lease=path).expect_done()
    read_on(slow)
    wait_until(lambda: len(slow.lines) == 2 + 6, "all was answered")
    Outcome(slow.lines[-1]).expect_refusal("LeaseEnded", "lease 1 is over")


@test("scripted", "and who waits for them is told so at once", FEW_UNREAD, on_socket=False)
def told_while_it_waits(w):
    _, path = w.hold(ALLOWED, "group/4")
    _, other = w.hold(ALLOWED, "group/9")
    ask_without_reading(w, ALLOWED, path, 5)
    call = w.begin(ALLOWED, "GetFds", "0", "0", lease=other)
    time.sleep(1)
    expect(not call.is_answered(), "it was not waited for")
    w.call(ALLOWED, "Release", lease=other).expect_done()
    call.outcome().expect_refusal("LeaseEnded", "lease 2 is over")


@test("scripted", "nor those of devices without an IOMMU when a configuration that forbids them is read meanwhile",
      {**FEW_UNREAD, "unsafe_noiommu": True}, on_socket=False)
def forbidden_while_it_waits(w):
    w.tool("no-iommu", "0000:0b:00.0", "20")
    _, path = w.hold(ALLOWED, "group/20")
    slow = ask_without_reading(w, ALLOWED, path, 6)
    w.reload(FEW_UNREAD)
    read_on(slow)
    wait_until(lambda: len(slow.lines) == 2 + 6, "all was answered")
    Outcome(slow.lines[-2]).expect_done("device:0000:0b:00.0")
    Outcome(slow.lines[-1]).expect_refusal("Unsupported", "lease 1", "unsafe_noiommu", "no file of them is handed out")


UNTOLD = ('<policy user="root"><deny send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Debug.Stats"/>'
          '</policy>')


@test("scripted", "a bus that does not tell what nobody has read yet is taken to limit it itself", {"limits": {"bus_fds_in_flight": 16}},
      on_socket=False)
def bus_does_not_tell(w):
    _, path = w.hold(ALLOWED, "group/4")
    with w.bus_that(UNTOLD):
        slow = ask_without_reading(w, ALLOWED, path, 7)
        w.hold(OTHER, "group/9")
        read_on(slow)
        expect_read(slow, 7)


@test("scripted", "who leaves while his files wait for room gives his devices back at once", {"limits": {"bus_fds_in_flight": 16}},
      on_socket=False)
def leaves_while_it_waits(w):
    _, path = w.hold(ALLOWED, "group/4")
    ask_without_reading(w, ALLOWED, path, 5)
    other = w.begin(OTHER, "Acquire", "group/9")
    wait_for_next_lease(w, path)
    other.leave()
    wait_until(lambda: count_leases(w) == 1, "it was given back")


@test("scripted", "so does who has left while they were being opened", {"limits": {"bus_fds_in_flight": 16}}, on_socket=False)
def leaves_before_it_waits(w):
    _, path = w.hold(ALLOWED, "group/4")
    ask_without_reading(w, ALLOWED, path, 5)
    fault = w.machine / "faults" / "open-group 9"
    fault.write_text("0")
    other = w.begin(OTHER, "Acquire", "group/9")

    def plan():
        return w.call("root", "Plan", "group/9", operation="bind").name or "done"

    wait_until(lambda: "Busy" in plan(), "its files were being opened")
    other.leave()
    wait_until(lambda: not w.has_name(other.name()), "the bus saw that it was gone")
    fault.unlink()
    wait_until(lambda: plan() == "done", "it was given back")


@test("scripted", "and are told to try again when that takes long", {"limits": {"bus_fds_in_flight": 16}}, on_socket=False)
def waits_too_long(w):
    have_little_patience(w)
    _, path = w.hold(ALLOWED, "group/4")
    ask_without_reading(w, ALLOWED, path, 5)
    w.call(OTHER, "Acquire", "group/9").expect_refusal("LimitExceeded", "19 files would be on their way to clients, the limit is 16",
                                                       "limits.bus_fds_in_flight)", "try again")
    wait_until(lambda: count_leases(w) == 1, "what nobody got was given back")


@test("scripted", "a client that leaves with files unread makes room", FEW_UNREAD, on_socket=False)
def leaves_unread(w):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 6)
    slow.leave()
    w.call(ALLOWED, "GetFds", "0", "0", lease=path).expect_done("device:0000:03:00.0")


@test("scripted", "a vfiod that is told to end answers first who waits for room", FEW_UNREAD, on_socket=False)
def ends_with_unread(w):
    _, path = w.hold(ALLOWED, "group/4")
    slow = ask_without_reading(w, ALLOWED, path, 6)
    w.vfiod.terminate()
    time.sleep(1)
    expect(w.vfiod.poll() is None, "it has ended already")
    read_on(slow)
    expect_read(slow, 6)
    wait_until(lambda: w.vfiod.poll() == 0, "it ended well")


@test("scripted", "files that are asked for many times at once and not read are as few")
def flood_of_unread_files(w):
    _, path = w.hold(ALLOWED, "group/8")
    slow = w.begin(ALLOWED, "GetFds", "0", "0", lease=path, unread=1000)
    wait_until(lambda: "sent\n" in slow.lines, "a thousand times three files were asked for")
    for _ in range(20):
        w.call("root", "ListGroups").expect_done()
    if not w.on_socket:
        waiting = w.bus_stat("PeakIncomingFDs", "org.vfiod1")
        expect(waiting <= 24, f"the bus had to keep {waiting} files of vfiod's")


# Of answers, or signals, that the bus keeps for who does not read; it would stop at 127 MiB.
UNREAD_BYTES = 48 << 20
# So that a client need not take care how many of its calls are under way.
MANY_REPLIES = '<limit name="max_replies_per_connection">100000</limit>'


def have_many_devices(w, *options):
    w.tool("many", "30", "200")
    w.stop_vfiod()
    restart_on_same_machine(w, *options)


def expect_little_kept(w):
    for _ in range(20):
        w.call("root", "ListGroups").expect_done()
    kept = w.bus_stat("PeakIncomingBytes", "org.vfiod1")
    expect(kept < UNREAD_BYTES, f"the bus had to keep {kept} bytes of vfiod's")


@test("scripted", "who does not read his answers is told to, and those of others go on", on_socket=False)
def unread_answers(w):
    have_many_devices(w)
    with w.bus_that(MANY_REPLIES):
        slow = w.begin("root", "GetManagedObjects", unread=300, signature="", interface="org.freedesktop.DBus.ObjectManager")
        wait_until(lambda: "sent\n" in slow.lines, "all about 200 devices was asked for, 300 times")
        expect_little_kept(w)
    read_on(slow)
    wait_until(lambda: len(slow.lines) == 302, "all was answered")
    refused = [Outcome(line) for line in slow.lines[2:] if not line.startswith("done")]
    expect(0 < len(refused) < 300, f"{len(refused)} of 300 were refused")
    for outcome in refused:
        outcome.expect_refusal("LimitExceeded", "have not been read")
    w.call("root", "ListDevices", signature="").expect_done()


@test("scripted", "so is who floods with what is answered without asking anybody", on_socket=False)
def unread_properties(w):
    have_many_devices(w)
    with w.bus_that(MANY_REPLIES):
        slow = w.begin(DENIED, "Introspect", unread=8000, signature="", path="/org/vfiod1/device",
                       interface="org.freedesktop.DBus.Introspectable")
        wait_until(lambda: "sent\n" in slow.lines, "a description of 12 kB was asked for, 8000 times")
        expect_little_kept(w)


@contextlib.contextmanager
def subscriber(w, *options):
    """A client that writes down the signals it gets, a line each; and the file, to be read."""
    with (tempfile.NamedTemporaryFile(dir=w.directory) as out, open(out.name, encoding="utf-8") as signals,
          subprocess.Popen([w.program("vfioctl"), *options, "monitor"], env=w.client_environment(), stdout=out,
                           stderr=subprocess.PIPE, encoding="utf-8") as client):
        try:
            expect("watching" in client.stderr.readline(), "nobody has subscribed")
            yield client, signals
        finally:
            client.kill()


def emit_signals(w):
    """Some 1400, of 200 devices that are acquired and given back; the number of the lease."""
    call, path = w.hold("root", "group/30", options={"defer_fds": "true"})
    call.leave()
    wait_until(lambda: count_leases(w) == 0, "the lease was over")
    return path.rpartition("/")[2]


def expect_signals(w, signals):
    """Those of one more lease, the last of which is read."""
    lease = emit_signals(w)
    wait_until(lambda: f"lease/{lease} removed" in signals.read(), "a client got the signals")


MUTED, SENT = "no more signals are sent", "signals are sent over it again"


@test("scripted", "signals that a client of the bus does not read are left out when they are many, until it leaves",
      {"limits": {"queued_messages": 65536}}, on_socket=False)
def unread_signals(w):
    have_many_devices(w, "--socket", w.socket)
    with subscriber(w) as (slow, _), subscriber(w, f"--socket={w.socket}") as (_, at_socket):
        slow.send_signal(signal.SIGSTOP)
        while w.count_logged(MUTED) == 0:
            expect_signals(w, at_socket)
            kept = w.bus_stat("IncomingBytes", "org.vfiod1")
            expect(kept < UNREAD_BYTES, f"the bus had to keep {kept} bytes of vfiod's")
        kept = w.bus_stat("IncomingBytes", "org.vfiod1")
        for _ in range(3):
            expect_signals(w, at_socket)
        expect(w.bus_stat("IncomingBytes", "org.vfiod1") < kept + (1 << 20), "there were more signals")
        expect((w.count_logged(MUTED), w.count_logged(SENT)) == (1, 0), "the journal does not say once that there are no more")
    with subscriber(w) as (_, on_bus):
        emit_signals(w)
        wait_until(lambda: w.count_logged(SENT) == 1, "signals were sent again")
        expect_signals(w, on_bus)
    expect(w.count_logged(MUTED) == 1, "there are no more signals again")


@test("scripted", "who names a property at great length has no answer that is longer")
def long_names(w):
    name, interface = "A" * 4096, "org.freedesktop.DBus.Properties"
    for member, *arguments in (("GetAll", name), ("Get", name, "Version"), ("Get", "org.vfiod1.Manager", name)):
        w.call(DENIED, member, *arguments, signature="s" * len(arguments), interface=interface).expect_error(
            "org.freedesktop.DBus.Error.InvalidArgs", "4096 bytes")
    w.call(DENIED, "Get", "org.vfiod1.Manager", "Version", signature="ss", interface=interface).expect_done()


def flags_of(checks):
    return sorted(check[3] for check in checks)


@test("scripted", "a person is asked no more at once than the limit, and then what waited",
      {"limits": {"interactive_questions_per_uid": 1}})
def limit_of_interactive_questions(w):
    w.polkit.tell("on org.vfiod1.bind ask")
    slow = [w.begin(ALLOWED, "Bind", f"group/{group}", interactive=True) for group in (3, 4)]
    wait_until(lambda: len(w.polkit.checks()) == 3, "both were asked, and the person about one")
    w.call(ALLOWED, "ListGroups").expect_done()
    expect(flags_of(w.polkit.checks()) == ["0", "0", "0", "1"], f"{w.polkit.checks()}")
    w.polkit.tell("answer allow")
    wait_until(lambda: flags_of(w.polkit.checks()).count("1") == 2, "the person was asked about the other")
    w.polkit.tell("answer allow")
    for call in slow:
        call.outcome().expect_done()


@test("scripted", "who leaves while he waits in line is never asked about", {"limits": {"requests_per_uid": 2}})
def leaves_the_line(w):
    calls = one_too_many(w, [ALLOWED] * 3, "limits.requests_per_uid")
    first = calls.pop(details_of(w.polkit.checks()[0])["device"])
    for call in calls.values():
        call.leave()
    # Of what is not there, polkit is not asked: it is refused for the limit until vfiod knows who has left.
    wait_until(lambda: w.call(ALLOWED, "Bind", "group/99").name.endswith("NotFound"), "there was room again")
    w.polkit.tell("forget", "answer deny")
    first.outcome().expect_error(ACCESS_DENIED)
    w.call(ALLOWED, "ListGroups").expect_done()
    expect([check[1] for check in w.polkit.checks()] == ["org.vfiod1.bind", "org.vfiod1.list"], f"{w.polkit.checks()}")


@test("scripted", "who waits in line behind a polkit that hangs is told with the first, and may try again")
def hangs_for_the_line(w):
    w.polkit.tell("default hang")
    calls = [w.begin(ALLOWED, "Bind", f"group/{group}") for group in (2, 3, 4)]
    for call in calls:
        call.outcome().expect_error(ACCESS_DENIED, "polkit did not answer in time; try again", "org.vfiod1.bind")
    expect(len(w.polkit.checks()) == 1, f"{w.polkit.checks()}")
    w.polkit.tell("forget")
    w.call(ALLOWED, "Bind", "group/3").expect_done()


@test("scripted", "a device replaced while polkit thinks is not what was authorised")
def replaced_meanwhile(w):
    w.polkit.tell("on 0000:01:00.1 hang")
    slow = w.begin(ALLOWED, "Bind", "group/2")
    wait_until(lambda: len(w.polkit.checks()) == 2, "polkit was asked")
    w.tool("replace", "0000:01:00.0", "15b3", "101e")
    w.polkit.tell("answer allow")
    slow.outcome().expect_refusal("Changed", "0000:01:00.0")
    w.expect_untouched()


@test("scripted", "a member that joins the group while polkit thinks was not authorised")
def joined_meanwhile(w):
    w.polkit.tell("on 0000:02:00.0 hang")
    slow = w.begin(ALLOWED, "Bind", "group/3")
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    w.tool("add", "0000:02:00.1", "3", "e1000e")
    w.polkit.tell("answer allow")
    slow.outcome().expect_refusal("Changed", "0000:02:00.1")
    w.expect_untouched()


def acquire_while_it_closes(w, questions, **options):
    """group/2, and group/4, whose lease has ended and is not seen to be over, for which polkit is asked so many questions."""
    holder, _ = w.hold(ALLOWED, "group/4")
    fault = w.machine / "faults" / "open-group 4"
    fault.write_text("0")
    holder.leave()
    asked = len(w.polkit.checks())
    slow = w.begin(ALLOWED, "Acquire", "group/4", "group/2", options={"bind": "true", **options})
    wait_until(lambda: len(w.polkit.checks()) == asked + questions, "polkit was asked all")
    time.sleep(0.5)
    expect(not slow.is_answered(), "it did not wait")
    return slow, fault


@test("scripted", "who may acquire and not bind does not bind by waiting for a lease to end")
def binds_by_waiting(w):
    w.polkit.tell("on org.vfiod1.bind deny")
    w.call("root", "Bind", "group/2").expect_done()
    slow, fault = acquire_while_it_closes(w, 3)
    w.call("root", "Unbind", "group/2").expect_done()
    before = w.kernel_calls()
    fault.unlink()
    slow.outcome().expect_refusal("Changed", "0000:01:00.0", "try again")
    expect("to vfio-pci" not in w.kernel_calls().removeprefix(before), w.kernel_calls())


@test("scripted", "nor override what the host has begun to need meanwhile")
def overrides_by_waiting(w):
    w.polkit.tell("on org.vfiod1.override-safety deny")
    slow, fault = acquire_while_it_closes(w, 5, override_safety="true")
    w.tool("attribute", "0000:01:00.0", "boot_vga", "1")
    fault.unlink()
    slow.outcome().expect_refusal("Changed", "0000:01:00.0")


@test("scripted", "and what has not changed by then needs no second question")
def waits_with_right(w):
    slow, fault = acquire_while_it_closes(w, 5)
    asked = len(w.polkit.checks())
    fault.unlink()
    slow.outcome().expect_done()
    expect(len(w.polkit.checks()) == asked, f"{w.polkit.checks()}")


@test("scripted", "a member that joins the group while its unbind waits was not authorised")
def joined_while_it_waits(w):
    _, path = w.hold("root", "group/3", options={"bind": "true"})
    slow = w.begin(ALLOWED, "Unbind", "group/3", options={"policy": "wait"})
    wait_until(lambda: "Busy" in (w.call("root", "Plan", "group/3", operation="acquire").name or ""), "it waited")
    w.tool("add", "0000:02:00.1", "3", "vfio-pci")
    w.call("root", "Release", lease=path).expect_done()
    slow.outcome().expect_refusal("Changed", "0000:02:00.1")


@test("scripted", "a hot reset asks about each device that is reset")
def hot_reset_of_others(w):
    w.call("root", "Bind", "group/2").expect_done()
    w.polkit.tell("on 0000:01:00.1 deny")
    w.call(ALLOWED, "Reset", "hot", device="0000:01:00.0").expect_error(ACCESS_DENIED, "org.vfiod1.reset", "0000:01:00.1")
    w.call(ALLOWED, "Reset", "bus", device="0000:01:00.0").expect_refusal("NoReset", "0000:01:00.0")
    w.polkit.tell("forget")
    w.call(ALLOWED, "Reset", "hot", device="0000:01:00.0").expect_done()


@test("scripted", "a device unplugged while polkit thinks is not found")
def unplugged_meanwhile(w):
    w.polkit.tell("on 0000:02:00.0 hang")
    slow = w.begin(ALLOWED, "Bind", "group/3")
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    w.tool("remove", "0000:02:00.0")
    w.polkit.tell("answer allow")
    slow.outcome().expect_refusal("NotFound", "3")


@test("scripted", "a driver that changes while polkit thinks does not matter")
def driver_meanwhile(w):
    w.polkit.tell("on 0000:02:00.0 hang")
    slow = w.begin(ALLOWED, "Bind", "group/3")
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    w.tool("unbind", "0000:02:00.0", "nvme")
    w.polkit.tell("answer allow")
    slow.outcome().expect_done()


@test("scripted", "a group that became unbound while polkit thinks needs the bind action too")
def unbound_meanwhile(w):
    w.polkit.tell("on 0000:03:00.0 hang", "on org.vfiod1.bind deny")
    slow = w.begin(ALLOWED, "Acquire", "group/4", options={"bind": "true"})
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    w.tool("unbind", "0000:03:00.0", "vfio-pci")
    w.polkit.tell("answer allow")
    slow.outcome().expect_refusal("Changed", "0000:03:00.0")
    w.expect_untouched()


@test("scripted", "a lease that ends while polkit thinks keeps nobody from unbinding its group")
def lease_ended_before_unbind(w):
    w.polkit.tell("on org.vfiod1.unbind hang")
    holder, _ = w.hold(ALLOWED, "group/4")
    slow = w.begin(OTHER, "Unbind", "group/4", options={"policy": "wait"})
    wait_until(lambda: w.polkit.checks()[-1][1] == "org.vfiod1.unbind", "polkit was asked")
    holder.leave()
    wait_until(lambda: w.call("root", "ListLeases").text == "", "the lease was over")
    w.polkit.tell("answer allow")
    slow.outcome().expect_done()


@test("scripted", "a lease that ends while polkit thinks about its release is released")
def lease_ended_meanwhile(w):
    w.polkit.tell("on org.vfiod1.release-other hang")
    holder, path = w.hold(ALLOWED, "group/4")
    slow = w.begin(OTHER, "Release", lease=path)
    wait_until(lambda: w.polkit.checks()[-1][1] == "org.vfiod1.release-other", "polkit was asked")
    holder.leave()
    wait_until(lambda: w.call("root", "ListLeases").text == "", "the lease was over")
    w.polkit.tell("answer allow")
    slow.outcome().expect_done()


@test("scripted", "an answer that makes no sense is a no")
def nonsense(w):
    w.polkit.tell("default nonsense")
    w.call(ALLOWED, "Bind", "group/2").expect_error(ACCESS_DENIED, "makes no sense")
    w.expect_untouched()


@test("scripted", "an error of polkit is a no")
def polkit_error(w):
    w.polkit.tell("default fail")
    w.call(ALLOWED, "Bind", "group/2").expect_error(ACCESS_DENIED, "out of sorts", "org.vfiod1.bind")
    w.expect_untouched()


@test("scripted", "polkit that finds nobody who has asked is not taken for absent")
def caller_gone(w):
    w.polkit.tell("default gone")
    w.call(ALLOWED, "Bind", "group/2").expect_error(ACCESS_DENIED, "polkit could not be asked", "Could not get UID")
    answers = may(w, ALLOWED, "group/2", actions=["org.vfiod1.bind"])
    expect_answers(answers, "no", "error", "")
    w.expect_untouched()


@test("scripted", "polkit that hangs for good is given up, with its question withdrawn")
def hangs_for_good(w):
    w.polkit.tell("on org.vfiod1.bind hang")
    slow = w.begin(ALLOWED, "Bind", "group/2")
    slow.outcome().expect_error(ACCESS_DENIED, "polkit did not answer in time; try again", "org.vfiod1.bind")
    wait_until(lambda: w.polkit.cancels() == [w.polkit.checks()[-1][0]], "the question was withdrawn")
    w.expect_untouched()


@test("scripted", "vfiod stops while polkit thinks, and the caller is not left waiting")
def stops_meanwhile(w):
    w.polkit.tell("on org.vfiod1.bind hang")
    slow = w.begin(ALLOWED, "Bind", "group/2")
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    w.stop_vfiod()
    expect(not slow.outcome().done, "a bind was done by nobody")
    w.expect_untouched()


@test("scripted", "polkit that dies while it thinks is a clean no, and the next one is asked again")
def dies(w):
    w.polkit.tell("on org.vfiod1.bind hang")
    slow = w.begin(ALLOWED, "Bind", "group/2")
    wait_until(lambda: len(w.polkit.checks()) == 1, "polkit was asked")
    w.polkit.end()
    slow.outcome().expect_error(ACCESS_DENIED, "polkit", "org.vfiod1.bind")
    w.call(ALLOWED, "ListGroups").expect_error(ACCESS_DENIED, "polkit is not there to ask")
    w.expect_untouched()
    w.polkit = ScriptedPolkit(w)
    w.call(ALLOWED, "Bind", "group/2").expect_done()


def run_section(world, name, counter, transports=("bus", "socket")):
    for transport in transports:
        world.on_socket = transport == "socket"
        run_tests(world, name, counter)
    world.on_socket = False


def run_tests(world, name, counter):
    for sentence, function, config, on_socket in TESTS[name]:
        if world.on_socket and not on_socket:
            continue
        complaint = None
        world.config = config
        try:
            world.start_vfiod()
            function(world)
        except Failure as failure:
            complaint = str(failure)
        # One that breaks off is one that fails: those after it are run all the same.
        except Exception:  # pylint: disable=broad-exception-caught
            complaint = traceback.format_exc().replace("\n", "\n# ")
        try:
            world.end_test()
        except Failure as failure:
            complaint = complaint or str(failure)
        if world.polkit:
            world.polkit.end()
            world.polkit = ScriptedPolkit(world)
        counter[0] += 1
        where = " (socket)" if world.on_socket else ""
        print(f"{'not ok' if complaint else 'ok'} {counter[0]} - {sentence}{where}", flush=True)
        if complaint:
            print(f"# {complaint}")
            for line in world.log.read_text(errors="replace").splitlines()[-30:]:
                print(f"# vfiod: {line}", flush=True)


# What the example rules speak of, and what is meant here.
EXAMPLES = {"vfiod-group-one-device.rules": {'"vfio"': f'"{MEMBER}"', "0000:01:00.0": "0000:07:00.0", "8086:10d3": "8086:100e"},
            "vfiod-service.rules": {'"vmmanager"': f'"{SERVICE}"'},
            "vfiod-operator.rules": {'"vfio-operators"': f'"{OPERATOR}"'}}


def example_rules(world):
    """Every example of the source, by the name of its file."""
    rules = {path.name: path.read_text() for path in (world.source / "polkit").glob("*.rules")}
    expect(set(rules) == set(EXAMPLES), f"these are the examples: {sorted(rules)}")
    for name, words in EXAMPLES.items():
        for old, new in words.items():
            expect(old in rules[name], f"{name} does not speak of {old} any more")
            rules[name] = rules[name].replace(old, new)
    return rules


def run_with_polkitd(world, counter):
    world.start_bus()
    run_section(world, "none", counter)
    world.start_polkitd({"10-test.rules": RULES.replace("EXPECTED", json.dumps(EXPECTED)),
                         **example_rules(world)})
    run_section(world, "polkitd", counter)
    world.stop_polkitd()


def run_with_scripted(world, counter, transport):
    world.start_bus()
    world.polkit = ScriptedPolkit(world)
    run_section(world, "scripted", counter, [transport])


PARTS = {"polkitd": run_with_polkitd,
         "bus": functools.partial(run_with_scripted, transport="bus"),
         "socket": functools.partial(run_with_scripted, transport="socket")}


def run(world):
    counter = [0]
    PARTS[sys.argv[1]](world, counter)
    print(f"1..{counter[0]}")


# test-authorise.py PART SOURCE PROGRAM...
run_as_root(sys.argv[2], sys.argv[3:], run)
