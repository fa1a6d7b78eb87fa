#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every method of protocol/*.xml is entered by some input in corpus/call. TAP on standard output.

Usage: test-reach.py REPLAY-CALL CORPUS XML...

That a handler was entered shows in its answer: it is done, or refused for a reason that only handlers have.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET

# What sd-bus answers by itself, before any handler.
UNREACHED = {"org.freedesktop.DBus.Error." + name for name in
             ("UnknownObject", "UnknownMethod", "UnknownInterface", "InvalidArgs")}


def methods(paths):
    for path in paths:
        for interface in ET.parse(path).getroot().iter("interface"):
            for method in interface.findall("method"):
                yield f"{interface.get('name')}.{method.get('name')}"


def main():
    replay, corpus, *interfaces = sys.argv[1:]
    shown = subprocess.run([replay, corpus], env={**os.environ, "FUZZ_SHOW": "1"}, stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    reached = set()
    for line in shown.splitlines():
        method, _, outcome = line.partition(": ")
        if outcome and outcome.split(":")[0] not in UNREACHED:
            reached.add(method)
    wanted = sorted(methods(interfaces))
    print(f"1..{len(wanted)}")
    for number, method in enumerate(wanted, 1):
        print(f"{'ok' if method in reached else 'not ok'} {number} - {method} is entered by an input of {os.path.basename(corpus)}")


main()
