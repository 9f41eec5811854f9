# SPDX-License-Identifier: BSD-3-Clause
"""A large pool is swapped, by reloads one after the other, while the gateway registers: what its users and its operator
see of that, beside the same without a reload. One worker. The connections are there before; each re-REGISTER shows a
token of its own, so its signature is checked, and its pair is looked up in its web site's file and, since what is in a
pool is nobody else's, in the large one."""
import json
import os
import re
import subprocess
import sys
import threading
import time

import gateway
from gateway import world

PAIRS = int(os.environ.get("POOL_PAIRS", "10000000"))
SECONDS = int(os.environ.get("POOL_SECONDS", "60"))
RATE = int(os.environ.get("POOL_RATE", "1000"))
gateway.CLIENTS = 400


def configuration(folder):
    text = gateway.configuration(folder)
    issuer = f"""\
  - {{name: visitors-waf, iss: "https://waf.visitors.example", audience: "{world.AUDIENCE}", algorithms: [ES256],
     jwks: "file:{folder}/jwks.json", authz_server: "https://waf.visitors.example"}}
"""
    site = f"""\
  - {{name: visitors, issuer: visitors-waf, origins: ["https://visitors.example"], mode: pool,
     identities: {{file: {folder}/pool.csv}}}}
"""
    text = text.replace("wwsf:\n", issuer + "wwsf:\n", 1)
    return text.replace("limits: {upgrades_per_second", site + "limits: {upgrades_per_second", 1)


def timed(call):
    """What call gave, and how many seconds it took."""
    begun = time.monotonic()
    result = call()
    return result, time.monotonic() - begun


class Wicgate(gateway.Wicgate):

    def ready(self, probe):
        """To start it reads the pool first."""
        world.wait_for(f"{self.name} ready", probe, 600)


class Operator(threading.Thread):
    """Asks for the status ten times a second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.longest_s, self.going = server, 0, True

    def run(self):
        while self.going:
            self.longest_s = max(self.longest_s, timed(self.server.answers)[1])
            time.sleep(0.1)


class Swapper(threading.Thread):
    """Makes the pool another file, and reloads, until it is told to end."""

    def __init__(self, server, pool):
        super().__init__(daemon=True)
        self.server, self.pool, self.took_s, self.going = server, pool, [], True

    def run(self):
        while self.going:
            os.utime(self.pool)
            done, took_s = timed(lambda: self.server.ask("reload"))
            if done.returncode != 0:
                raise world.Broken(f"reload: {done.stdout.decode()}")
            self.took_s.append(took_s)


def peak_mib(server):
    """The most that has been resident so far."""
    return int(re.search(r"^VmHWM:\s+(\d+) kB", world.text_of(f"/proc/{server.child.pid}/status"), re.M).group(1)) / 1024


def longest_turn(server):
    """Since the last look: turns of 2 ms and longer, and the longest one of all so far, us."""
    stats = server.stats()
    return stats["loop_long_turns"], stats["loop_longest_us"]


def load(folder, what):
    """SECONDS of re-REGISTERs, RATE a second."""
    options = gateway.load_options(folder, world.GATEWAY, "register", SECONDS * RATE)
    options.remove("--reuse-token")
    done = subprocess.run(["taskset", "-c", gateway.LOAD_CORE, world.LOAD, *options, "--drive-rate", str(RATE)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        told = json.loads(done.stdout)
    except ValueError as error:
        raise world.Broken(f"{what}: the load ended with {done.returncode}") from error
    return told


def row(what, server, told, operator, before, reloads):
    long_turns, longest = longest_turn(server)
    deeds = [deed for deed in told["deeds"] if deed["phase"] == "drive"]
    if not deeds:
        raise world.Broken(f"{what}: nobody registered: {json.dumps(told['failures'])[:1000]}")
    print(f"| {what:16} | {sum(deed['per_second'] for deed in deeds):7.0f} | {max(deed['p99_us'] for deed in deeds) / 1000:7.1f} | "
          f"{told['unexpected']:8d} | {long_turns - before[0]:7d} | {longest / 1000:7.1f} | {operator.longest_s * 1000:7.0f} | "
          f"{server.rss_kib() / 1024:6.0f} | {peak_mib(server):8.0f} | {reloads:24} |", flush=True)
    if told["failures"]:
        print(f"{what}: {json.dumps(told['failures'])}", flush=True)


def play_with(folder, server, what, swapper):
    operator, before = Operator(server), longest_turn(server)
    operator.start()
    if swapper is not None:
        swapper.start()
    told = load(folder, what)
    operator.going = False
    if swapper is not None:
        swapper.going = False
        swapper.join()
    operator.join()
    reloads = "" if swapper is None else f"{len(swapper.took_s)} of {max(swapper.took_s):.1f} s at most"
    row(what, server, told, operator, before, reloads)


def play(folder):
    world.prepare(folder, gateway.CLIENTS)
    pool = f"{folder}/pool.csv"
    with open(pool, "wb") as file:
        subprocess.run([world.LOAD, "--make-pairs", str(PAIRS), "--domain", f"pool.{world.REALM}"], stdout=file, check=True)
    core = gateway.Core(folder, world.CORE)
    server, start_s = timed(lambda: Wicgate(*gateway.own_folder(folder, "pools", configuration(folder))))
    pools = json.loads(server.ask("pools").stdout)["pools"]
    print(f"started in {start_s:.1f} s; loaded in {pools[1]['load_ms'] / 1000:.1f} s: {pools[1]['pairs']} pairs, "
          f"{pools[1]['bytes'] / 2**20:.0f} MiB", flush=True)
    gateway.heading(f"{RATE} a second, {SECONDS} s", "REG 1/s", " p99 ms", "failures", ">= 2 ms", "longest", " CLI ms", "RSS MiB", "peak MiB",
                    f"{'reloads of the pool':24}")
    for what, swapper in (("without reloads", None), ("swapped", Swapper(server, pool)), ("without again", None)):
        play_with(folder, server, what, swapper)
    gateway.end(server, core)


if __name__ == "__main__":
    sys.exit(gateway.play_in_folder("pools", f"A pool of {PAIRS} pairs, swapped while others register; turns of the worker's loop in ms, the longest since start", play))
