#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The soak of churn.sh: Kamailio as S-CSCF, wicgate with two workers, wicgate-load. Runs in a namespace of its own."""
import os
import re
import statistics
import subprocess
import sys
import time

import churn_world as world

SHORT = "--short" in sys.argv[1:]


def parameter(name, full, short):
    return int(os.environ.get(name, short if SHORT else full))


CONNECTIONS = parameter("CONNECTIONS", 5000, 300)
RATE = parameter("RATE", 200, 100)              # new connections a second
HOLD_S = parameter("HOLD_S", 60, 5)
CHURN_S = parameter("CHURN_S", 600, 20)
CHURN_RATE = parameter("CHURN_RATE", 100, 40)   # operations a second
SETTLE_S = parameter("SETTLE_S", 45, 5)         # quiet time after the churn, everybody back
SAMPLE_S = parameter("SAMPLE_S", 10, 1)
GROWTH = 1.05                                   # settled memory against the plateau
EMPTY_S = 60                                    # for the last timers to run out
LIMIT_S = 2 * CONNECTIONS // RATE + HOLD_S + CHURN_S + SETTLE_S + 300   # for the whole load

GAUGES = ["conn_live", "session_live", "binding_live", "transaction_live", "verify_live"]
REPORT = re.compile(r"^load: phase=(\w+) phase_s=([\d.]+) connected=(\d+) registered=(\d+)", re.M)


class Sample:
    """One look at the gateway, with what the load said last."""

    def __init__(self, began, gateway, load_log):
        gateway.must_live()
        report = REPORT.findall(world.text_of(load_log))
        phase, phase_s, connected, registered = report[-1] if report else ("start", "0", "0", "0")
        self.at_s = time.monotonic() - began
        self.phase, self.phase_s = phase, float(phase_s)
        self.connected, self.registered = int(connected), int(registered)
        self.rss_kib = gateway.rss_kib()
        self.files = gateway.files()
        self.stats = gateway.stats()
        self.gauges = [self.stats[name] for name in GAUGES]

    def line(self):
        numbers = [self.rss_kib, self.files, *self.gauges, self.connected, self.registered]
        return f"{self.at_s:7.0f} {self.phase:7}" + "".join(f"{n:12}" for n in numbers)


def heading():
    names = ["rss_kib", "files", *(name.replace("_live", "") for name in GAUGES), "connected", "registered"]
    return f"{'s':>7} {'phase':7}" + "".join(f"{name:>12}" for name in names)


def watch(load, gateway, load_log, began):
    """Samples while the load runs."""
    samples = []
    print(heading(), flush=True)
    due = time.monotonic()
    while load.poll() is None:
        if time.monotonic() < due:
            time.sleep(0.1)
            continue
        due += SAMPLE_S
        if time.monotonic() - began > LIMIT_S:
            raise world.Broken(f"wicgate-load is not done after {LIMIT_S} s")
        samples.append(Sample(began, gateway, load_log))
        print(samples[-1].line(), flush=True)
    return samples


def watch_empty(gateway, load_log, began):
    """Samples until nothing is left of the load, or for EMPTY_S. Returns the last sample."""
    end = time.monotonic() + EMPTY_S
    while True:
        sample = Sample(began, gateway, load_log)
        if not any(sample.gauges) or time.monotonic() > end:
            print(sample.line(), flush=True)
            return sample
        time.sleep(0.5)


def kept(samples, phase):
    """Why the gauges of a quiet phase are not what they should be, or None. A sample at its very end may already
    see the next one."""
    quiet = [s for s in samples if s.phase == phase and s.phase_s >= 1][:-1]
    if not quiet:
        return "no sample was taken"
    for s in quiet:
        if s.gauges != [s.connected, s.connected, s.registered, 0, 0] or s.registered != CONNECTIONS:
            return f"at {s.at_s:.0f} s: " + ", ".join(
                f"{name} {value}" for name, value in zip(GAUGES, s.gauges)) + \
                f"; the load has {s.connected} connected, {s.registered} registered"
    return None


def grown(samples):
    """Why memory is not what it should be, or None."""
    plateau = [s.rss_kib for s in samples if s.phase == "churn" and s.phase_s <= CHURN_S / 3]
    settled = [s.rss_kib for s in samples if s.phase == "settle"]
    if not plateau or not settled:
        return "no sample was taken"
    top, now = max(plateau), statistics.median(settled)
    print(f"memory: {top} KiB at most in the first third of the churn, {now:.0f} KiB when settled "
          f"({100 * (now - top) / top:+.2f} %)")
    return None if now <= top * GROWTH else f"{now:.0f} KiB after {top} KiB"


def not_given_back(last):
    left = [f"{name} {value}" for name, value in zip(GAUGES, last.gauges) if value != 0]
    return ", ".join(left) or None


def verdicts(samples, last, load_status):
    broken = last.stats["invariant_broken"]
    return [
        (f"{CONNECTIONS} registered connections are held and the gauges say so", kept(samples, "hold")),
        (f"{CHURN_S} s of churn do not make memory grow", grown(samples)),
        ("pools balance after the churn", kept(samples, "settle")),
        ("nothing is left of connections that have gone", not_given_back(last)),
        ("no invariant is broken under churn", f"{broken} times" if broken else None),
        ("no client sees anything unexpected in the churn", f"exit {load_status}" if load_status else None),
    ]


def load_command(folder):
    return [world.LOAD, "--target", f"{world.GATEWAY}:443", "--server-name", world.HOST, "--ca", f"{folder}/cert.pem",
            "--origin", world.ORIGIN, "--domain", world.REALM, "--signing-key", f"{folder}/es256.pem",
            "--kid", world.KEY_ID, "--issuer", world.ISSUER, "--audience", world.AUDIENCE,
            "--pairs", f"{folder}/pairs.csv", "--source", ",".join(world.CLIENTS), "--clean", "--report", "1",
            "--connections", str(CONNECTIONS), "--rate", str(RATE), "--hold", str(HOLD_S), "--churn", str(CHURN_S),
            "--churn-rate", str(CHURN_RATE), "--settle", str(SETTLE_S), "--seed", os.environ.get("SEED", "1")]


def play(folder):
    """Returns the verdicts: (sentence, None or why not)."""
    world.prepare(folder, CONNECTIONS)
    core = world.Core(folder)
    gateway = world.Gateway(folder, world.configuration(folder, CONNECTIONS))
    load_log = os.path.join(folder, "load.log")
    began = time.monotonic()
    with open(load_log, "w") as log, open(os.path.join(folder, "load.txt"), "w") as result:
        load = subprocess.Popen(load_command(folder), stdin=subprocess.DEVNULL, stdout=result, stderr=log)
    samples = watch(load, gateway, load_log, began)
    last = watch_empty(gateway, load_log, began)
    print(world.text_of(os.path.join(folder, "load.txt")), end="")
    print(f"gateway: {gateway.cpu_s():.1f} s of CPU; S-CSCF: {core.cpu_s():.1f} s")
    if load.returncode != 0:
        print(f"seed {os.environ.get('SEED', '1')}; errors counted by the gateway: {gateway.errors()}")
    return verdicts(samples, last, load.returncode) + [("the gateway stops when told to", gateway.stop())]


if __name__ == "__main__":
    sys.exit(world.main("churn", play))
