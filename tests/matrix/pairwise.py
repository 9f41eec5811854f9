# SPDX-License-Identifier: BSD-3-Clause
"""Few cases in which every value of a parameter meets every value of every other one; some parameters meet by three."""
import itertools
import random

CANDIDATES = 30     # tried for each case; the one that covers most is kept


def wanted(parameters, triples):
    """All that must occur together, as frozen sets of (parameter, value)."""
    names = list(parameters)
    groups = list(itertools.combinations(names, 2)) + [tuple(t) for t in triples]
    return {frozenset(zip(group, values)) for group in groups
            for values in itertools.product(*(parameters[name] for name in group))}


def covered(case, todo, groups):
    return {key for key in (frozenset((name, case[name]) for name in group) for group in groups) if key in todo}


def candidate(parameters, start, todo, dice, groups):
    """start holds one thing that is still wanted; the rest is chosen one by one for what is new with those before."""
    case = dict(start)
    names = [name for name in parameters if name not in case]
    dice.shuffle(names)
    for name in names:
        values = list(parameters[name])
        dice.shuffle(values)

        def gain(value):
            return sum(frozenset(((name, value), (other, case[other]))) in todo for other in case)
        case[name] = max(values, key=gain)
    return case, covered(case, todo, groups)


def cover(parameters, triples, seed):
    """A list of cases; the same for the same arguments. parameters: {name: [value, ...]}."""
    dice = random.Random(seed)
    groups = list(itertools.combinations(parameters, 2)) + [tuple(t) for t in triples]
    todo, cases = wanted(parameters, triples), []
    while todo:
        starts = sorted(todo, key=lambda key: (-len(key), sorted(map(repr, key))))
        starts = [key for key in starts if len(key) == len(starts[0])]
        case, new = max((candidate(parameters, dice.choice(starts), todo, dice, groups) for _ in range(CANDIDATES)),
                        key=lambda found: len(found[1]))
        cases.append({name: case[name] for name in parameters})
        todo -= new
    return cases


def check(parameters, triples, cases):
    """What the cases leave out: empty."""
    todo = wanted(parameters, triples)
    return [key for key in todo if not any(all(case[name] == value for name, value in key) for case in cases)]
