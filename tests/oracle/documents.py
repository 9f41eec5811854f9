#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""documents.py JSON_VERDICT CORPUS: our JSON reader beside Python's and jansson.

Documents of every shape, good ones and damaged, and those of the corpus with damage, are read by all three. We have to read
what Python reads, with the same values, but for what STRICTER lists; and jansson has to accept what Python reads, but for
what BOTH lists.
"""
import json
import math
import os
import random
import re
import subprocess
import sys

from oracle import Report
from scribble import damaged_octets, scribble, text_make, value_make

GOOD, DAMAGED, TWINS, MUTANTS = 2000, 4000, 300, 3000
DEPTH_MAX, NAMES_MAX, MAGNITUDE_MAX = 8, 128, 308
DATE_MAX = 2**62
NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")

# what Python reads and we refuse, with the place that says so
STRICTER = {
    "depth": "more than 8 arrays and objects in one another (PROTOCOL 12.3)",
    "names": "more than 128 names in open objects (dataplane/token/json.h)",
    "twice": "a name twice in an object, escapes resolved (RFC 7515 10.12)",
    "surrogate": "an escaped surrogate without its other half (RFC 8259 8.2)",
    "number": "a number of 10^308 or more (dataplane/token/json.h)",
}
# what neither we nor jansson accept; it is asked to take U+0000 and integers of any size (tests/fuzz/token/json_oracle.c)
BOTH = {"twice", "surrogate", "infinite"}
# what jansson alone accepts: it steps over an octet 0 behind a number or a literal, and a name with U+0000, which it cannot
# hold, is taken for good without a look at what is behind it
ZERO, ZERO_NAME = re.compile(rb"[0-9elE]\0"), re.compile(rb"\\u0000")


class Number:
    def __init__(self, text):
        self.text = text
        sign, whole, fraction, exponent = NUMBER.fullmatch(text).groups()
        self.negative = sign == "-"
        digits = whole + (fraction or "")
        self.digits = digits.lstrip("0")
        self.point = len(whole) + int(exponent or 0) - (len(digits) - len(self.digits))  # digits before it

    def date(self):
        """Unix time, its fraction cut off; from 10^18 on the latest there is."""
        if self.negative or not self.digits or self.point <= 0:
            return 0
        return int(self.digits[:self.point].ljust(self.point, "0")) if self.point <= 18 else DATE_MAX

    def traits(self):
        if self.digits and self.point > MAGNITUDE_MAX:
            yield "number"
        if math.isinf(float(self.text)):
            yield "infinite"


class Members(list):
    """The (name, value) pairs of an object, as they are written."""


def constant(name):
    raise ValueError(name)


def python_read(octets):
    """The document, or None."""
    try:
        return [json.loads(octets.decode("utf-8"), object_pairs_hook=Members, parse_int=Number, parse_float=Number,
                           parse_constant=constant)]
    except ValueError:
        return None


def string_traits(text):
    if re.search("[\ud800-\udfff]", text):
        yield "surrogate"


def traits(value, depth=0, names=0):
    """What of STRICTER and BOTH is in a value; depth and names: what is open around it."""
    if isinstance(value, Number):
        yield from value.traits()
    elif isinstance(value, str):
        yield from string_traits(value)
    elif isinstance(value, list):
        if depth == DEPTH_MAX:
            yield "depth"
        if isinstance(value, Members):
            yield from members_traits(value, depth, names)
        else:
            for element in value:
                yield from traits(element, depth + 1, names)


def members_traits(members, depth, names):
    if len({name for name, _ in members}) < len(members):
        yield "twice"
    for number, (name, value) in enumerate(members, names + 1):
        if number > NAMES_MAX:
            yield "names"
        yield from string_traits(name)
        yield from traits(value, depth + 1, number)


def string_reading(text):
    return '"' + text.encode("utf-8").hex() + ";"


def reading(value):
    """A value as json_verdict prints it."""
    if isinstance(value, Number):
        return f"#{value.text}:{value.date()};"
    if isinstance(value, str):
        return string_reading(value)
    if isinstance(value, Members):
        return "{" + "".join(string_reading(name) + reading(inner) for name, inner in value) + "}"
    if isinstance(value, list):
        return "[" + "".join(reading(inner) for inner in value) + "]"
    return {None: "n", True: "t", False: "f"}[value]


def expected(octets):
    """Our reading, whether jansson accepts, and the traits."""
    document = python_read(octets)
    if document is None:
        return "-", "no", set()
    found = set(traits(document[0]))
    ours = "-" if found & set(STRICTER) else reading(document[0])
    return ours, "no" if found & BOTH else "yes", found


def wide(names):
    """Objects in one another with so many names open at the deepest place."""
    inner = 1
    while names > 0:
        here = min(names, random.randrange(1, 60))
        members = {f"{i:03}": None for i in range(here - 1)}
        members["last"] = inner
        inner, names = members, names - here
    return inner


def twins():
    """An object that has a name twice, each time with escapes of its own."""
    name = text_make(1, 8)
    return b"{" + scribble(name) + b":1," + scribble(text_make(0, 8)) + b":2," + scribble(name) + b":3}"


def documents(corpus):
    for _ in range(GOOD):
        yield scribble(value_make(random.randrange(11)))
    for _ in range(DAMAGED):
        yield damaged_octets(scribble(value_make(random.randrange(5))))
    for names in range(NAMES_MAX - 6, NAMES_MAX + 6):
        yield scribble(wide(names))
    for _ in range(TWINS):
        yield twins()
    seeds = []
    for name in sorted(os.listdir(corpus)):
        with open(os.path.join(corpus, name), "rb") as file:
            seeds.append(file.read(4096))
    yield from (seed for seed in seeds if len(seed) < 4096)
    seeds = [seed for seed in seeds if 0 < len(seed) < 200]
    for _ in range(MUTANTS):
        yield damaged_octets(random.choice(seeds))
    for _ in range(MUTANTS // 3):
        first, second = random.choice(seeds), random.choice(seeds)
        yield first[:random.randrange(len(first) + 1)] + second[random.randrange(len(second) + 1):]


def check(report, program, texts):
    lines = "".join(text.hex() + "\n" for text in texts)
    run = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    answers = [line.split(" ") for line in run.stdout.decode().splitlines()]
    if len(answers) != len(texts):
        sys.exit(f"{len(answers)} answers for {len(texts)} documents")
    ours, jansson, seen, read, zeros = [], [], set(), 0, 0
    for text, (our_reading, jansson_verdict) in zip(texts, answers):
        wanted, wanted_jansson, found = expected(text)
        seen |= found
        read += our_reading != "-"
        if our_reading != wanted:
            ours.append(f"{text}: {our_reading} and not {wanted}")
        if jansson_verdict == "yes" and wanted_jansson == "no" and (ZERO.search(text) or ZERO_NAME.search(text)):
            zeros += 1
        elif jansson_verdict != wanted_jansson:
            jansson.append(f"{text}: {jansson_verdict}")
    report.say(f"{len(texts)} documents say to us what they say to Python, but for what we refuse by a rule", ours)
    report.say("jansson accepts what Python reads, but for what is listed", jansson)
    missed = (set(STRICTER) | BOTH) - seen
    report.say("each difference that is listed was met", sorted(missed) + ([] if zeros else ["an octet 0"]))
    mixed = len(texts) / 5 < read < len(texts) * 4 / 5
    report.say("documents are read and refused, a fifth at least each", [] if mixed else [f"{read} read"])


def main():
    random.seed(5)
    sys.setrecursionlimit(20000)
    report = Report()
    check(report, sys.argv[1], list(documents(sys.argv[2])))
    report.end()


main()
