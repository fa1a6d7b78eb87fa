#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints a C table of every method in protocol/*.xml, so that a new one is called by fuzz-call at once.

Usage: methods.py XML...
"""

import sys
import xml.etree.ElementTree as ET


def main() -> None:
    print("/* Made by tests/fuzz/methods.py. */")
    for path in sys.argv[1:]:
        for interface in ET.parse(path).getroot().iter("interface"):
            for method in interface.findall("method"):
                types = "".join(
                    arg.get("type") for arg in method.findall("arg") if arg.get("direction") == "in")
                print(f'{{"{interface.get("name")}", "{method.get("name")}", "{types}"}},')


main()
