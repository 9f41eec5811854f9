# SPDX-License-Identifier: BSD-3-Clause
"""Every case there is, one after the other: each setting of a kernel by itself x workload x wire x who opens x family."""
import math

import cases


def settings():
    """What differs from a kernel's defaults: nothing, then one value of one setting at a time."""
    return [{}] + [{name: value} for name in cases.SETTINGS for value in cases.PARAMETERS[name][1:]]


def axes():
    return [settings(), cases.WIRES] + [[{name: value} for value in cases.PARAMETERS[name]]
                                        for name in ("workload", "opens", "family")]


def size():
    return math.prod(len(axis) for axis in axes())


def case_at(place):
    """Case number place. The order is the same each time, and mixes all axes, so that cases that run side by side differ.
    A round is size() cases; from the second one on, chance falls differently."""
    total = size()
    turn, place = divmod(place, total)
    stride = next(n for n in range(total * 5 // 13, total) if math.gcd(n, total) == 1)
    rest = place * stride % total
    case = {name: values[0] for name, values in cases.PARAMETERS.items()}
    for axis in axes():
        rest, at = divmod(rest, len(axis))
        case |= axis[at]
    return case | ({"seed": place * 31 + turn} if turn else {})


def every(start):
    """Endless: round after round."""
    while True:
        yield case_at(start)
        start += 1
