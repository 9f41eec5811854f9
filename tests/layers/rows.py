#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads docs/protocol.md's list of rows and their tests, and fails on a test that is not there."""
import fnmatch
import glob
import os
import re
import sys

SECTION = "## Rows of the specification and their tests"
NAMED = re.compile(r"\bTEST(?:_BOTH)?\(\w+, (\w+)\)")
RUN = re.compile(r"\bRUN(?:_BOTH)?\(\s*\w+,\s*(\w+)\)")


def text_of(paths):
    texts = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return "\n".join(texts)


def rows(document):
    """(row, cell) of each row with tests; a cell without a colon says that there are none yet."""
    section = document.split(SECTION, 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and ":" in cells[1] and set(cells[1]) - set("-: "):
            yield cells


def unit(top, place):
    """The sentences that a unit test has and runs."""
    path = os.path.join(top, "tests/unit", place if "/" in place else f"gateway/{place}") + "_test.c"
    if not os.path.isfile(path):
        return set()
    text = text_of([path])
    return set(NAMED.findall(text)) & set(RUN.findall(text))


def is_there(top, place, name):
    if place == "sim":
        return f'"{name}"' in text_of(sorted(glob.glob(os.path.join(top, "tests/sim/*.c"))))
    if place.startswith("e2e "):
        scripts = glob.glob(os.path.join(top, "tests/e2e", f"{place[4:]}-*.mjs"))
        library = glob.glob(os.path.join(top, "tests/e2e/lib/*.mjs"))
        return bool(scripts) and name in text_of(scripts + library)
    return bool(fnmatch.filter(unit(top, place), name))


def missing(top):
    document = text_of([os.path.join(top, "docs/protocol.md")])
    count = 0
    for row, cell in rows(document):
        for part in cell.split("; "):
            place, _, names = part.partition(": ")
            for name in names.split(", "):
                count += 1
                if not is_there(top, place, name):
                    yield f"{row}: {place}: {name}"
    if count == 0:
        yield "no row has a test"


def main():
    found = list(missing(sys.argv[1]))
    for line in found:
        print(f"docs/protocol.md names a test that is not there: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
