#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""coverage.py BUILD [-v] [FILE...]: adds up what gcov says of files of dataplane/tcp in all programs of a build that counts
lines, prints a table, and with -v the lines that nobody reached. Exit 1: a file is below LEAST percent."""
import json
import os
import subprocess
import sys

LEAST = 95.0
LAYER = "dataplane/tcp/"
FILES = ["tcp_in.c", "recovery.c", "scoreboard.c", "rack.c", "episode.c", "loss_timer.c", "receive.c", "ooo.c"]


def counted(build):
    """Every file of counts of the layer; one for each program or library that the source is compiled into."""
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda") and "dataplane_tcp_" in name or name.endswith(".gcda") and LAYER in folder + "/":
                yield os.path.join(folder, name)


def lines_of(build, counts):
    """What gcov says of one file of counts: source, line, how often, how often each branch."""
    text = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", os.path.relpath(counts, build)],
                          cwd=build, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    for document in text.splitlines():
        for source in json.loads(document)["files"]:
            for line in source["lines"]:
                yield source["file"], line["line_number"], line["count"], [b["count"] for b in line["branches"]]


def added_up(build):
    lines, branches = {}, {}
    for counts in counted(build):
        for source, number, count, ways in lines_of(build, counts):
            name = source.rpartition(LAYER)[2] if LAYER in source else None
            if name is None:
                continue
            at = lines.setdefault(name, {})
            at[number] = at.get(number, 0) + count
            key = (number, len(ways))
            there = branches.setdefault(name, {}).setdefault(key, [0] * len(ways))
            for i, way in enumerate(ways):
                there[i] += way
    return lines, branches


def show_missing(build, name, lines, branches):
    with open(os.path.join(os.path.dirname(os.path.abspath(build)), LAYER, name), encoding="utf-8") as file:
        text = file.read().splitlines()
    for number in sorted(n for n, count in lines.items() if count == 0):
        print(f"{name}:{number}: never: {text[number - 1].strip()}")
    for (number, _), ways in sorted(branches.items()):
        if lines.get(number, 0) > 0 and ways and 0 in ways:
            print(f"{name}:{number}: {ways.count(0)} of {len(ways)} ways never: {text[number - 1].strip()}")


def main(build, arguments):
    verbose = "-v" in arguments
    lines, branches = added_up(build)
    low = False
    for name in [a for a in arguments if a != "-v"] or FILES:
        reached = sum(count > 0 for count in lines.get(name, {}).values())
        every = len(lines.get(name, {}))
        ways = [way > 0 for there in branches.get(name, {}).values() for way in there]
        percent = 100.0 * reached / every if every else 0.0
        low = low or percent < LEAST
        print(f"{name:16} lines {reached:4} of {every:4} {percent:6.1f} %   branches {sum(ways):4} of {len(ways):4}")
        if verbose:
            show_missing(build, name, lines.get(name, {}), branches.get(name, {}))
    if low:
        print(f"FAIL coverage: a file is below {LEAST:.0f} %")
    return low


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
