#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the manual says is what the programs say of themselves: the verbs, options and statuses of vfioctl(1) and the options of vfiod(8)
against their own help, the keys of vfiod.json(5), of the example and of README.md against the table of the configuration. Every page is well formed. TAP on
standard output.

    check-documents.py SOURCE_ROOT VERSION VFIOCTL VFIOD DUMP_CONFIG PAGE...
"""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from tap import Tap

# An empty date, because a page has none but its version's.
LINT_ACCEPTED = "WARNING: missing date"

tap = Tap()


def compare(documented, real):
    """Two dictionaries that must be equal; and must not be empty, which is what a parser finds that has grown blind."""
    complaints = [] if real else ["nothing was found to compare"]
    for name in sorted(set(documented) | set(real)):
        if name not in real:
            complaints.append(f"{name} is documented and not there")
        elif name not in documented:
            complaints.append(f"{name} is there and not documented")
        elif documented[name] != real[name]:
            complaints.append(f"{name}: documented as '{documented[name]}', is '{real[name]}'")
    return complaints


# --- vfioctl(1)

def help_of(vfioctl, *verb):
    return subprocess.run([vfioctl, "help", *verb], check=True, capture_output=True, text=True).stdout


def section_of_help(text, title):
    """The entries under a title: what stands in the left column."""
    body = re.search(rf"^{title}.*:\n((?:  .*\n)+)", text, re.M)[1]
    return [entry.strip() for entry in re.findall(r"^  ( {0,4}\S.*?)(?:  .*)?$", body, re.M)]


def options_of_help(text):
    return [entry for entry in section_of_help(text, "Options") if entry.startswith("-")]


def plain(roff):
    """A line of a page without its fonts."""
    text = re.sub(r"^\.(?:BR?|IR?|RB|BI) ", "", roff)
    return re.sub(r"\\f.|\\\(aq", "", text).replace("\\-", "-").strip()


def section_of_page(page, title):
    return re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH |\Z)", page, re.M | re.S)[1]


def items_of_page(section):
    """(heading, text below it) of each .TP."""
    return [(plain(head), body) for head, body in re.findall(r"^\.TP\n(.*)\n((?:(?!\.TP|\.SS|\.SH).*\n)*)", section, re.M)]


def verbs_of_page(page):
    return {words.split()[0]: words for words, _ in items_of_page(section_of_page(page, "VERBS"))}


def verbs_of_program(vfioctl):
    usage = {}
    for verb in section_of_help(help_of(vfioctl), "Verbs"):
        usage[verb] = re.match(r"Usage: vfioctl (.*)", help_of(vfioctl, verb))[1]
    return usage


def options_of_page(page, every):
    """The verbs of each option, by the option as the help has it."""
    options = {}
    for words, body in items_of_page(section_of_page(page, "OPTIONS")):
        verbs = re.match(r"Of (.*)\.\n", body)
        options[words] = sorted(plain(verbs[1]).split(", ")) if verbs else sorted(every)
    return options


def options_of_program(vfioctl, verbs):
    options = {}
    for verb in verbs:
        for option in options_of_help(help_of(vfioctl, verb)):
            options.setdefault(option, []).append(verb)
    return {option: sorted(verbs) for option, verbs in options.items()}


def check_vfioctl(vfioctl, page):
    verbs = verbs_of_program(vfioctl)
    tap.check("vfioctl(1) has every verb as its own help has it", compare(verbs_of_page(page), verbs))
    tap.check("vfioctl(1) has every option, with its value and its verbs",
              compare(options_of_page(page, verbs), options_of_program(vfioctl, verbs)))
    statuses = {status: True for status in section_of_help(help_of(vfioctl), "Exit status")}
    documented = {status: True for status, _ in items_of_page(section_of_page(page, "EXIT STATUS"))}
    tap.check("vfioctl(1) has every exit status", compare(documented, statuses))


# --- vfiod(8)

def check_vfiod(vfiod, page):
    usage = subprocess.run([vfiod, "--help"], check=True, capture_output=True, text=True).stdout
    options = {option: True for option in re.findall(r"\[(--[^]]+)\]", usage)}
    documented = {words: True for words, _ in items_of_page(section_of_page(page, "OPTIONS"))}
    tap.check("vfiod(8) has every option", compare(documented, options))


def defaults_of_policy(source):
    """What vfiod(8) says of each action: who may, or whether the answer is kept."""
    policy = (source / "polkit/org.vfiod1.policy").read_text()
    words = {"yes": "everybody", "auth_admin_keep": "kept", "auth_admin": ""}
    return {action: words[default] for action, default in
            re.findall(r'<action id="(.*?)">.*?<allow_active>(.*?)</allow_active>', policy, re.S)}


def check_authorisation(source, page):
    items = items_of_page(section_of_page(page, "AUTHORISATION"))
    actions = {words: next((word for word in ("everybody", "kept") if word in body.split("\n.PP", 1)[0]), "")
               for words, body in items if words.startswith("org.vfiod1.")}
    tap.check("vfiod(8) has every action of polkit, with its default", compare(actions, defaults_of_policy(source)))
    names = (source / "protocol/names.h").read_text()
    details = {name: True for name in re.findall(r'^#define VFIOD_DETAIL_\w+ "(.*)"', names, re.M)}
    documented = {words: True for words, _ in items if not words.startswith("org.vfiod1.")}
    tap.check("vfiod(8) has every detail that rules may look at", compare(documented, details))


# --- vfiod.json(5)

def keys_of_program(dump_config):
    lines = subprocess.run([dump_config], check=True, capture_output=True, text=True).stdout.splitlines()
    return {key: (default, bounds) for key, default, bounds in (line.split(" ", 2) for line in lines)}


def keys_of_page(page):
    return {key: (default, bounds) for key, default, bounds in re.findall(r"^([a-z_.]+)\|([^|]+)\|([^|]+)\|", page, re.M)}


def flattened(document):
    """{"limits.leases": "256"} of {"limits": {"leases": 256}}"""
    keys = {}
    for name, value in document.items():
        if isinstance(value, dict):
            keys |= {f"{name}.{inner}": json.dumps(value[inner]) for inner in value}
        else:
            keys[name] = json.dumps(value)
    return keys


def check_configuration(root, dump_config, page):
    keys = keys_of_program(dump_config)
    defaults = {key: default for key, (default, _) in keys.items()}
    tap.check("vfiod.json(5) has every key with its default and range", compare(keys_of_page(page), keys))
    tap.check("examples/vfiod.json has every key with its default",
              compare(flattened(json.loads((root / "examples/vfiod.json").read_text())), defaults))
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", (root / "README.md").read_text(), re.M)]
    shown = [block for block in blocks if '"step_deadline_ms"' in block]
    tap.check("README.md has every key with its default", compare(flattened(json.loads(shown[0])) if shown else {}, defaults))


# --- every page

def complaints_of_mandoc(page):
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], check=False, capture_output=True, text=True)
    return [line for line in (lint.stdout + lint.stderr).splitlines() if LINT_ACCEPTED not in line]


def check_pages(pages, version):
    for page in pages:
        sentence = f"mandoc(1) has nothing against {page.name}"
        if shutil.which("mandoc"):
            tap.check(sentence, complaints_of_mandoc(page))
        else:
            tap.skip(sentence, "mandoc is not installed here")
    tap.check("every page names this version, and no name of the build is left in it",
              [page.name for page in pages
               if f'"vfiod {version}"' not in page.read_text() or re.search(r"@\w+@", page.read_text())])
    names = {page.name for page in pages}
    complaints = []
    for page in pages:
        for name, section in re.findall(r"^\.BR (\S+) \((\d)\)", page.read_text().replace("\\-", "-"), re.M):
            if re.search("vfio", name) and f"{name}.{section}" not in names:
                complaints.append(f"{page.name} refers to {name}({section})")
    tap.check("pages refer to pages that there are", complaints)


def main():
    root, version, vfioctl, vfiod, dump_config, *pages = sys.argv[1:]
    pages = {Path(page).name: Path(page) for page in pages}
    check_vfioctl(vfioctl, pages["vfioctl.1"].read_text())
    check_vfiod(vfiod, pages["vfiod.8"].read_text())
    check_authorisation(Path(root), pages["vfiod.8"].read_text())
    check_configuration(Path(root), dump_config, pages["vfiod.json.5"].read_text())
    check_pages(pages.values(), version)
    tap.end()


if __name__ == "__main__":
    main()
