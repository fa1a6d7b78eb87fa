#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes org.vfiod1(5) from the interface files and the comments in them, which say everything there is to say.

    make-manual.py VERSION RUNDIR INTERFACE.xml...

Owns the way from a comment to man(7): what a paragraph, an item and a nested list look like in the interface files.

A comment stands before what it is about and begins with its name. A line that has two spaces behind its first words is an item,
"name  text" or "name  type  text"; what is indented below it belongs to it. Indented lines below any other line continue that line,
unless they are items.
"""

import inspect
import re
import sys
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

HEAD = """'\\" t
.\\" SPDX-License-Identifier: LGPL-2.1-or-later
.\\" Made from protocol/*.xml, where it is to be changed.
.TH ORG.VFIOD1 5 "" "vfiod {version}" "vfiod"
.SH NAME
org.vfiod1 \\- D\\-Bus interfaces of vfiod
.SH DESCRIPTION
.BR vfiod (8)
has the name
.B org.vfiod1
on the system bus, and answers at
.I {rundir}/vfiod/socket
without a bus: D\\-Bus between two, without names and match rules.
Its objects are
.B /org/vfiod1
with the interface
.B org.vfiod1.Manager
and
.BR org.freedesktop.DBus.ObjectManager ,
and below it one for each IOMMU group, device and lease.
Properties are signalled by
.B PropertiesChanged
unless it says otherwise.
The types are those of the D\\-Bus specification, the actions those of
.BR polkit (8).
"""

FOOT = """.SH SEE ALSO
.BR vfiod (8),
.BR vfioctl (1),
.BR libvfiod (3),
.BR vfiod.json (5),
.BR busctl (1)
"""

KINDS = [("method", "Methods"), ("signal", "Signals"), ("property", "Properties")]
# One space is enough behind the name of an error that is too long for its column.
ITEM = re.compile(r"(?:(\S.*?) {2,}(?:([a-z(){}]+) {2,})?|(org\.vfiod1\.Error\.\w+) (?=[a-z]))(\S.*)")
# What begins a paragraph of its own, beside the names of arguments.
OPENERS = ["options", "Errors", "Errors of every method", "Error", "Action", "Actions"]
ACTION = "org.vfiod1.Action"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
NOT_SIGNALLED = {"const": "does not change", "false": "not signalled", "invalidates": "signalled without its value"}


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def filled(text):
    """A paragraph, a line for each sentence as man pages have it, names of ours and D-Bus' in bold."""
    text = escape(" ".join(text.split()))
    text = re.sub(r"\borg\.(?:vfiod1|freedesktop)(?:\.\w+)+", r"\\fB\\%\g<0>\\fR", text)
    return re.sub(r"(?<=[.:]) (?=[A-Z])", "\n", text) + "\n"


def capital(text):
    return text[:1].upper() + text[1:]


def deeper(lines, i):
    """The lines from `i` on that are indented, with the empty ones between them."""
    end = i
    for j in range(i, len(lines)):
        if lines[j].startswith(" "):
            end = j + 1
        elif lines[j]:
            break
    return lines[i:end], end


def dedented(lines):
    return textwrap.dedent("\n".join(lines)).splitlines()


def item(match, below):
    name, signature, error, text = match.groups()
    out = f".TP\n.B {escape(name or error)}"
    out += f" \\fR({escape(signature)})\n" if signature else "\n"
    # What continues its text comes first, then lists of its own.
    below = dedented(below)
    while below and below[0] and not ITEM.match(below[0]):
        text += " " + below.pop(0).strip()
    out += filled(text)
    if below:
        out += f".RS\n{rendered(below, [])}.RE\n"
    return out


def rendered(lines, openers):
    """man(7) of a text; `openers`: words that begin a paragraph when a colon is behind them."""
    out, paragraph, begun = "", [], False
    opens = re.compile(rf"(?:{'|'.join(map(re.escape, OPENERS + openers))})(?::| org\.)")

    def flush():
        nonlocal out, begun
        if paragraph:
            out += (".PP\n" if begun else "") + filled(" ".join(paragraph))
            paragraph.clear()
            begun = True

    i = 0
    while i < len(lines):
        line = lines[i]
        below, after = deeper(lines, i + 1)
        match = ITEM.match(line)
        if not line or match or opens.match(line):
            flush()
        if match:
            out += item(match, below)
            begun = True
        elif line:
            paragraph.append(line)
            inner = dedented(below)
            if inner and any(ITEM.match(text) for text in inner):
                while inner and not ITEM.match(inner[0]):
                    paragraph.append(inner.pop(0).strip())
                flush()
                out += f".RS\n{rendered(inner, [])}.RE\n"
            else:
                paragraph += inner
        i = after
    flush()
    return out


def arguments(member, direction):
    found = [arg for arg in member.findall("arg") if arg.get("direction", direction) == direction]
    return ", ".join(f"{escape(arg.get('type'))} \\fI{escape(arg.get('name'))}\\fR" for arg in found)


def heading(member):
    name = f".B {member.get('name')}"
    if member.tag == "method":
        out = arguments(member, "out")
        return f"{name}\\fR({arguments(member, 'in')})" + (f" \\(-> ({out})" if out else "")
    if member.tag == "signal":
        return f"{name}\\fR({arguments(member, 'out')})"
    emits = [a.get("value") for a in member.findall("annotation") if a.get("name") == EMITS]
    said = [escape(member.get("type")), *(NOT_SIGNALLED[value] for value in emits if value in NOT_SIGNALLED)]
    if member.get("access") != "read":
        said.append("writable")
    return f"{name} \\fR({', '.join(said)})"


def member_page(members, comment):
    """Members that have one comment, which begins with their names."""
    names = ", ".join(member.get("name") for member in members)
    lines = inspect.cleandoc(comment).splitlines()
    if not lines or not lines[0].startswith(names + ":"):
        raise SystemExit(f"the comment of {names} does not begin with '{names}:'")
    lines[0] = capital(lines[0][len(names) + 1:].strip())
    openers = [arg.get("name") for member in members for arg in member.findall("arg")]
    heads = "\n.TQ\n".join(heading(member) for member in members)
    body = rendered(lines, openers)
    first, separator, rest = body.partition("\n.")
    out = f".TP\n{heads}\n{first}\n"
    # Paragraphs and lists of its own stay below it.
    return out + (f".RS\n.{rest}.RE\n" if separator else "")


def must_name_actions(interface):
    """Without them nobody knows who may call it, and tests/bus/test-matrix.py has no row for it."""
    for method in interface.findall("method"):
        if ACTION not in [annotation.get("name") for annotation in method.findall("annotation")]:
            raise SystemExit(f"{interface.get('name')}.{method.get('name')} has no annotation {ACTION}")


def commented(interface):
    """(members, comment) as they stand: a comment is about all that follows up to the next one."""
    groups = []
    for node in interface:
        if node.tag is ET.Comment:
            groups.append(([], node.text))
        elif groups:
            groups[-1][0].append(node)
        else:
            raise SystemExit(f"{node.get('name')} has no comment")
    return groups


def interface_page(path):
    root = ET.parse(path, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))).getroot()
    interface = root.find("interface")
    name = interface.get("name")
    about = next(inspect.cleandoc(node.text) for node in root if node.tag is ET.Comment)
    if not about.startswith(name + ": "):
        raise SystemExit(f"{path}: the comment of the interface does not begin with '{name}: '")
    must_name_actions(interface)
    out = f".SH {name}\n" + rendered(capital(about.removeprefix(name + ": ")).splitlines(), [])
    for kind, title in KINDS:
        pages = [member_page(members, comment) for members, comment in commented(interface)
                 if members and members[0].tag == kind]
        if pages:
            out += f".SS {title}\n" + "".join(pages)
    return out


def main():
    version, rundir, *paths = sys.argv[1:]
    sys.stdout.write(HEAD.format(version=version, rundir=rundir) + "".join(interface_page(Path(path)) for path in paths) + FOOT)


if __name__ == "__main__":
    main()
