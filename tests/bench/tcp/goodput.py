#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""goodput.py BUILD   what our sender gets through a bad wire, beside Linux with reno on a wire that loses the same frames"""
import concurrent.futures
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ["WICGATE_BUILD"] = os.path.abspath(sys.argv[1])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "matrix"))
import cases            # noqa: E402
import matrix           # noqa: E402

SEEDS = range(1, 13)
WIRES = [("1 % loss, 100 ms", "loss=1,rtt=100,bytes=2000000"),
         ("5 % loss, 100 ms", "loss=5,rtt=100,bytes=500000"),
         ("100 ms", "rtt=100,bytes=3000000")]
BUFFER = 262144     # as much as our congestion window can be; Linux takes what it likes


def kilobytes_a_second(wire, seed, kernel):
    """NaN when it did not work."""
    case = cases.case_of(f"workload=bulk_down,congestion=reno,rmem=6291456,buffer={BUFFER},seed={seed},{wire}")
    played = matrix.play(case, kernel)
    theirs = played.get("theirs")
    if not theirs or theirs["end"] != "closed" or theirs["wrong"]:
        print(f"seed {seed}: {played}", file=sys.stderr)
        return float("nan")
    return theirs["received"] / theirs["ms"]


def main():
    print("\nGoodput of one connection, kB/s, beside Linux reno on the same wire; medians of "
          f"{len(SEEDS)} seeds\n"
          "| wire                        | ours  | Linux | ratio |\n"
          "|-----------------------------|-------|-------|-------|")
    for name, wire in WIRES:
        # they wait most of the time: side by side
        with concurrent.futures.ThreadPoolExecutor(2 * len(SEEDS)) as pool:
            ours = [pool.submit(kilobytes_a_second, wire, seed, False) for seed in SEEDS]
            linux = [pool.submit(kilobytes_a_second, wire, seed, True) for seed in SEEDS]
        ours, linux = ([future.result() for future in futures] for futures in (ours, linux))
        ratios = [a / b for a, b in zip(ours, linux)]
        print(f"| {name:27} | {statistics.median(ours):5.0f} | {statistics.median(linux):5.0f} | "
              f"{statistics.median(ratios):5.2f} |", flush=True)


if __name__ == "__main__":
    main()
