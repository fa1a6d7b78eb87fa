#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What README.md shows of an example is what the example says, and so what the lab has run.

    check-readme.py SOURCE_ROOT
"""

import re
import sys
import textwrap
from pathlib import Path


def main() -> int:
    root = Path(sys.argv[1])
    example = (root / "examples/acquire.py").read_text()
    blocks = [textwrap.dedent(block).strip() for block in re.findall(r"(?:^    .*\n|^\n)+", (root / "README.md").read_text(), re.M)]
    shown = [block for block in blocks if "gi.repository" in block]
    if not shown:
        print("README.md shows nothing of examples/acquire.py", file=sys.stderr)
    for block in shown:
        if block not in example:
            print(f"not in examples/acquire.py:\n{block}", file=sys.stderr)
    return 0 if shown and all(block in example for block in shown) else 1


if __name__ == "__main__":
    sys.exit(main())
