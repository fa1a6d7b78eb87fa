#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The documented interfaces and the daemon are the same: protocol/*.xml against introspection and
against the errors that daemon/bus/bus-error.c knows. TAP on standard output."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

from tap import Tap

EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
ERROR = "org.vfiod1.Error."
INTERFACES = ["Manager", "Group", "Device", "Lease"]

tap = Tap()


def members_of(interface):
    """What the interface has, as {"method Bind": "as targets in, ..."} of all that must agree."""
    members = {}
    for member in interface:
        if not isinstance(member.tag, str):
            continue
        # Our own annotations are for readers of the documents (test-matrix.py is one), and sd-bus knows none.
        annotations = {a.get("name"): a.get("value") for a in member.findall("annotation")
                       if not a.get("name").startswith("org.vfiod1.")}
        if member.tag == "property":
            emits = annotations.pop(EMITS, "true")
            text = f"type {member.get('type')}, access {member.get('access')}, emits {emits}"
        else:
            text = ", ".join(
                f"{arg.get('type')} {arg.get('name')} {arg.get('direction', 'out')}"
                for arg in member.findall("arg"))
        for name in sorted(annotations):
            text += f", annotated {name}={annotations[name]}"
        members[f"{member.tag} {member.get('name')}"] = text
    return members


def compare(documented, real):
    complaints = []
    for name in sorted(set(documented) | set(real)):
        if name not in real:
            complaints.append(f"{name} is documented and not there")
        elif name not in documented:
            complaints.append(f"{name} is there and not documented")
        elif documented[name] != real[name]:
            complaints.append(f"{name}: documented as '{documented[name]}', is '{real[name]}'")
    return complaints


def uncommented(interface):
    """Members whose names no comment above begins with. A comment may speak of several members that
    follow it: "VendorId, DeviceId: ..."."""
    complaints = []
    names, unused = set(), set()
    for node in interface:
        if node.tag is ET.Comment:
            complaints += [f"a comment speaks of {name}, which does not follow it" for name in sorted(unused)]
            head = node.text.strip().split(":")[0]
            names = set(re.findall(r"\w+", head))
            unused = set(names)
        elif node.get("name") in names:
            unused.discard(node.get("name"))
        else:
            complaints.append(f"{node.tag} {node.get('name')} has no comment above it that begins with its name")
    return complaints


def read_documents(directory):
    """The interface elements by name, with comments; and the whole text."""
    interfaces, text = {}, ""
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".xml"):
            continue
        path = os.path.join(directory, name)
        with open(path, encoding="utf-8") as file:
            text += file.read()
        parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
        for interface in ET.parse(path, parser).getroot().findall("interface"):
            interfaces[interface.get("name")] = interface
    return interfaces, text


def read_introspection(program):
    interfaces = {}
    output = subprocess.run([program], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    for part in output.split("\n----\n"):
        if not part.strip():
            continue
        for interface in ET.fromstring(part.split("\n", 1)[1].strip()).findall("interface"):
            if interface.get("name").startswith("org.vfiod1."):
                interfaces[interface.get("name")] = interface
    return interfaces


def main():
    program, protocol, errors_source = sys.argv[1:]
    if os.geteuid() != 0:
        print("1..0 # SKIP without root vfiod's methods are refused to this program")
        return
    documents, text = read_documents(protocol)
    real = read_introspection(program)

    tap.check("the objects have the documented interfaces and no others",
              [f"{name}: documented {name in documents}, there {name in real}"
               for name in sorted(set(documents) | set(real)) if (name in documents) != (name in real)])
    for name in INTERFACES:
        name = f"org.vfiod1.{name}"
        if name not in documents or name not in real:
            continue
        tap.check(f"{name} has the documented members, arguments and properties and no others",
              compare(members_of(documents[name]), members_of(real[name])))
        tap.check(f"every member of {name} is explained above it", uncommented(documents[name]))

    with open(errors_source, encoding="utf-8") as file:
        source = file.read()
    known = set(re.findall(r'VFIOD_ERROR_PREFIX "(\w+)"', source))
    for constant, name in (("VFIOD_ERROR_FAILED", "Failed"), ("VFIOD_ERROR_TIMED_OUT", "TimedOut")):
        if constant in source:
            known.add(name)
    documented = set(re.findall(re.escape(ERROR) + r"(\w+)", text))
    tap.check("every error that vfiod gives is documented",
              [f"{ERROR}{name} is in no interface document" for name in sorted(known - documented)])
    tap.check("every documented error is one that vfiod gives",
              [f"{ERROR}{name} is documented and unknown to bus-error.c" for name in sorted(documented - known)])
    tests = ""
    directory = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(os.listdir(directory)):
        if name.startswith("test-"):
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                tests += file.read()
    tap.check("every error that vfiod gives is met by a test of this folder",
              [f"no test expects {ERROR}{name}" for name in sorted(known) if f'"{name}"' not in tests])
    tap.end()


main()
