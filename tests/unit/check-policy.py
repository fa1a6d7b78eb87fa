#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The actions of polkit/org.vfiod1.policy: those of protocol/names.h, in words that can be translated, and nothing given
away by default. TAP on standard output."""

import pathlib
import re
import sys
import xml.etree.ElementTree as ET

from tap import Tap

# In the order of what they let somebody do.
STRENGTHS = ["yes", "auth_self_keep", "auth_self", "auth_admin_keep", "auth_admin", "no"]
KINDS = ["allow_any", "allow_inactive", "allow_active"]
LOOKING = "org.vfiod1.list"
# Of these alone a password may be remembered: they take nothing from the host, and nothing from anybody.
KEPT = {"org.vfiod1.inspect", "org.vfiod1.acquire"}
ANY_DEVICE = {"device", "vendor", "class", "group", "driver"}
# What vfiod tells with every question of an action; what it tells with some alone is of no use in a message.
ALWAYS_TOLD = {LOOKING: set(), "org.vfiod1.release-other": {"owner", "mode"}, "org.vfiod1.raise-memlock": {"memlock", "mode"}}

tap = Tap()


def text_of(action, tag):
    return (action.findtext(tag) or "").strip()


def default_of(action, kind):
    return (action.findtext(f"defaults/{kind}") or "nothing").strip()


def weaker(found, wanted):
    return found not in STRENGTHS or STRENGTHS.index(found) < STRENGTHS.index(wanted)


def check_defaults(actions):
    tap.check("every default is given, and known to polkit",
              [f"{name}: {kind} is {default_of(action, kind)}" for name, action in actions.items() for kind in KINDS
               if default_of(action, kind) not in STRENGTHS])
    tap.check("nothing but looking is allowed without an administrator's password",
              [f"{name}: {kind} is {default_of(action, kind)}" for name, action in actions.items() for kind in KINDS
               if name != LOOKING and weaker(default_of(action, kind), "auth_admin_keep")])
    tap.check("a password is kept only for what takes nothing from the host and from nobody, and only at the console",
              [f"{name}: {kind} is {default_of(action, kind)}" for name, action in actions.items() for kind in KINDS
               if default_of(action, kind).endswith("_keep") and (name not in KEPT or kind != "allow_active")])
    tap.check("no action implies another, and none may be asked about by others than root",
              [f"{name}: {annotation.get('key')}" for name, action in actions.items()
               for annotation in action.findall("annotate")])


def check_texts(actions, details):
    tap.check("every action has a description and a message, with the catalogue that translates them",
              [f"{name}: {tag}" for name, action in actions.items() for tag in ("description", "message")
               if not text_of(action, tag) or action.find(tag).get("gettext-domain") != "vfiod"])
    tap.check("no two actions have the same words",
              [f"{name}: '{text_of(action, tag)}'" for tag in ("description", "message") for name, action in actions.items()
               if [text_of(other, tag) for other in actions.values()].count(text_of(action, tag)) > 1])
    complaints = []
    for name, action in actions.items():
        used = set(re.findall(r"\$\((.*?)\)", text_of(action, "message")))
        complaints += [f"{name} speaks of $({key}), which is no detail" for key in sorted(used - details)]
        complaints += [f"{name} speaks of $({key}), which is not always told"
                       for key in sorted(used & details - ALWAYS_TOLD.get(name, ANY_DEVICE))]
        if "$" in re.sub(r"\$\(\w+\)", "", text_of(action, "message")) or "$" in text_of(action, "description"):
            complaints.append(f"{name} has a $ that stands for nothing")
    tap.check("messages speak only of what vfiod always tells polkit with that action", complaints)
    tap.check("every message about a device names it",
              [name for name, action in actions.items()
               if name not in ALWAYS_TOLD and "$(device)" not in text_of(action, "message")])


def main():
    source = pathlib.Path(sys.argv[1])
    names = (source / "protocol/names.h").read_text(encoding="utf-8")
    known = set(re.findall(r'^#define VFIOD_ACTION_\w+ "(.*\w)"', names, re.MULTILINE))
    details = set(re.findall(r'^#define VFIOD_DETAIL_\w+ "(\w+)"', names, re.MULTILINE))
    policy = ET.parse(source / "polkit/org.vfiod1.policy").getroot()
    actions = {action.get("id"): action for action in policy.findall("action")}

    tap.check("there are actions and details to look at", [] if known and details else ["names.h has none"])
    tap.check("the policy has the actions of names.h and no others",
              [f"{name}: in names.h {name in known}, in the policy {name in actions}" for name in sorted(known ^ set(actions))])
    survey = (source / "daemon/bus/authorise-survey.c").read_text(encoding="utf-8")
    tap.check("whoever asks what he may do is told of every action",
              [macro for macro in re.findall(r'^#define (VFIOD_ACTION_\w+) ".*\w"', names, re.MULTILINE) if f"{{{macro}," not in survey])
    tap.check("every action is there once",
              [] if len(actions) == len(policy.findall("action")) else ["an action is there twice"])
    check_defaults(actions)
    check_texts(actions, details)
    readme = (source / "README.md").read_text(encoding="utf-8")
    tap.check("the README's table has every action, with whether its password is kept",
              [name for name, action in actions.items()
               if not re.search(rf"^\| `{re.escape(name)}` \|.*\| {default_words(action)} \|$", readme, re.MULTILINE)])
    tap.end()


def default_words(action):
    active = default_of(action, "allow_active")
    if active == "yes":
        return "everybody"
    return "an administrator's password" + (", kept" if active.endswith("_keep") else "")


main()
