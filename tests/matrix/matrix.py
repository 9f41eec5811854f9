#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Our TCP against the kernel's. README.md has the options; prints "ok CASE" or "FAIL CASE" for each case."""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time

import cases
import pairwise
import product

HERE = os.path.dirname(os.path.abspath(__file__))
ABREAST = 10        # most of the time of a case is waiting
PATIENCE_S = 180    # for one case, whatever happens


def play(case, kernel):
    """Plays it in namespaces that nothing outlives. Returns what came of it."""
    how = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        how[1:1] = ["--user", "--map-root-user"]
    command = how + [sys.executable, "-B", os.path.join(HERE, "inside.py")]
    command += (["--kernel"] if kernel else []) + [cases.key_of(case)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
        return json.loads(done.stdout) if done.stdout else {"broken": done.stderr[-2000:]}
    except subprocess.TimeoutExpired:
        return {"broken": f"not done after {PATIENCE_S} s"}


class Table:
    """Plays cases side by side and says what became of each."""

    def __init__(self, options):
        self.options = options
        self.good = self.bad = 0

    def one(self, case):
        began = time.monotonic()
        played = play(case, self.options.kernel)
        return case, played, cases.wrong(case, played), time.monotonic() - began

    def say(self, case, played, faults, took_s):
        self.bad, self.good = self.bad + bool(faults), self.good + (not faults)
        word = "FAIL" if faults else "ok"
        print(f"{word} {cases.name_of(case)}" + (f" ({took_s:.1f} s)" if self.options.verbose else ""), flush=True)
        if faults:
            print("     " + "; ".join(faults) + f"\n     again: matrix.py --case {cases.key_of(case)}", flush=True)
        if faults and played.get("ours") or self.options.verbose > 1:
            print("     " + json.dumps(played), flush=True)

    def run(self, chosen, until=float("inf")):
        """Plays in order, and ends early when the time has come; yields (place, good) as cases end."""
        chosen = enumerate(chosen)
        with concurrent.futures.ThreadPoolExecutor(self.options.abreast) as pool:
            waiting = {}
            while True:
                while len(waiting) < self.options.abreast and time.monotonic() < until:
                    place, case = next(chosen, (None, None))
                    if case is None:
                        break
                    waiting[pool.submit(self.one, case)] = place
                if not waiting:
                    return
                for future in concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)[0]:
                    case, played, faults, took_s = future.result()
                    self.say(case, played, faults, took_s)
                    yield waiting.pop(future), not faults


def walk_product(table, path, seconds):
    """Goes on where the last call has ended, and on to the next round when one is over."""
    state = {"done": 0, "failed": []}
    if os.path.exists(path):
        with open(path) as file:
            state = json.load(file)
    first, over = state["done"], set()
    for place, good in table.run(product.every(first), time.monotonic() + seconds):
        over.add(first + place)
        if not good:
            state["failed"].append(cases.key_of(product.case_at(first + place)))
        while state["done"] in over:
            over.remove(state["done"])
            state["done"] += 1
        with open(path + ".new", "w") as file:
            json.dump(state, file, indent=1)
        os.replace(path + ".new", path)
    rounds, more = divmod(state["done"], product.size())
    print(f"matrix: {rounds} rounds of {product.size()} cases and {more} cases are done, "
          f"{len(state['failed'])} have failed", flush=True)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", action="store_true", help="kernel sockets on our side too: what the harness is worth")
    parser.add_argument("--case", action="append", help="KEY=VALUE,...; the rest as a kernel does by itself")
    parser.add_argument("--all", metavar="STATE", help="the product; goes on from this file")
    parser.add_argument("--seconds", type=float, default=600, help="of --all: no case begins after that")
    parser.add_argument("--abreast", type=int, default=ABREAST, help="cases at a time")
    parser.add_argument("--only", default="", help="a word that the name of a case must have")
    parser.add_argument("--verbose", "-v", action="count", default=0)
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def main():
    options = read_options()
    table = Table(options)
    began = time.monotonic()
    if options.all:
        walk_product(table, options.all, options.seconds)
        return table.bad > 0
    chosen = [cases.case_of(key) for key in options.case or []] or \
        pairwise.cover(cases.PARAMETERS, cases.TRIPLES, cases.SEED)
    chosen = [case for case in chosen if options.only in cases.name_of(case)]
    # the long ones first
    chosen.sort(key=lambda case: -(case["loss"] * 100 + case["rtt"]))
    if options.list:
        print("\n".join(cases.key_of(case) for case in chosen))
        return 0
    for _ in table.run(chosen):
        pass
    print(f"matrix: {table.good} ok, {table.bad} FAIL, {time.monotonic() - began:.0f} s", flush=True)
    return table.bad > 0


if __name__ == "__main__":
    sys.exit(main())
