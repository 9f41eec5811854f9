# SPDX-License-Identifier: BSD-3-Clause
"""JSON as others write it: any legal white space, escapes and forms of numbers."""
import random

SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
STRAY = b'"\\{}[]:,0-.eEu \x00\x1f\x7f\x80\xc3\xed\xf4\xff'


class Raw:
    """A text that stands as it is."""

    def __init__(self, text):
        self.text = text


def character_make():
    """Any but U+0000 and the surrogates; plain ones most often."""
    code = random.choice([random.randrange(0x20, 0x7f)] * 6 + [random.randrange(1, 0x20), random.randrange(0x7f, 0x800),
                                                              random.randrange(0x800, 0xd800), random.randrange(0xe000, 0x10000),
                                                              random.randrange(0x10000, 0x110000)])
    return chr(code)


def text_make(least, most):
    """A text of at most so many characters, and a third of them when octets count."""
    return "".join(character_make() for _ in range(random.randint(least, max(least, most // 2))))


def number_make():
    digits = str(random.randrange(10**random.randrange(1, 18)))
    fraction = f".{random.randrange(10**6)}" if random.random() < 0.3 else ""
    exponent = f"{random.choice('eE')}{random.choice(['', '+', '-'])}{random.randrange(100)}" if random.random() < 0.3 else ""
    return Raw(random.choice(["", "-"]) + digits + fraction + exponent)


def value_make(depth):
    """Any value with at most depth arrays and objects in one another."""
    kind = random.randrange(10 if depth > 0 else 5)
    if kind < 3:
        return [None, True, False][kind]
    if kind == 3:
        return number_make()
    if kind == 4:
        return text_make(0, 30)
    if kind < 8:
        return [value_make(depth - 1) for _ in range(random.randrange(5))]
    return {text_make(0, 12): value_make(depth - 1) for _ in range(random.randrange(5))}


def space(plain):
    return "" if plain or random.random() < 0.9 else random.choice([" ", "\n", "\t", "\r\n", "  "])


def escaped(character, plain):
    code = ord(character)
    if character in '"\\' or code < 0x20 or (not plain and random.random() < 0.1):
        if character in SHORT and (plain or random.random() < 0.5):
            return SHORT[character]
        units = [code] if code < 0x10000 else [0xd800 + (code - 0x10000 >> 10), 0xdc00 + (code - 0x10000 & 0x3ff)]
        return "".join("\\u" + format(unit, random.choice(["04x", "04X"])) for unit in units)
    return character


def written(value, plain):
    """value is of str, int, bool, None, Raw, list and dict."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, str):
        return '"' + "".join(escaped(character, plain) for character in value) + '"'
    if isinstance(value, (list, dict)):
        return collection_written(value, plain)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def collection_written(value, plain):
    marks = "[]" if isinstance(value, list) else "{}"
    items = [written(item, plain) for item in value] if isinstance(value, list) else [
        written(name, plain) + space(plain) + ":" + space(plain) + written(item, plain) for name, item in value.items()]
    return marks[0] + space(plain) + (space(plain) + "," + space(plain)).join(items) + space(plain) + marks[1]


def scribble(value, plain=False):
    """value as JSON in UTF-8; plain: in the shortest form."""
    return (space(plain) + written(value, plain) + space(plain)).encode("utf-8")


def damaged_octets(octets):
    """One octet changed, more, or less, or the end cut off."""
    at, stray = random.randrange(len(octets)), bytes([random.choice(STRAY)])
    before, behind = octets[:at], octets[at + 1:]
    return random.choice([before + stray + behind, before + stray + octets[at:], before + behind, before, octets + stray])
