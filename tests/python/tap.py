# SPDX-License-Identifier: LGPL-2.1-or-later
"""TAP on standard output, for programs that compare what two sides say of one thing."""


class Tap:
    def __init__(self):
        self.count = 0

    def check(self, sentence, complaints):
        """One test: it passes if nobody complains."""
        self.count += 1
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {sentence}")
        for complaint in complaints:
            print(f"# {complaint}")

    def skip(self, sentence, why):
        self.count += 1
        print(f"ok {self.count} - {sentence} # SKIP {why}")

    def end(self):
        print(f"1..{self.count}")
