#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The crowd of crowd.sh: as many registered WSS connections as asked for over a TAP port, from several load programs with
many source addresses each. Runs in a namespace of its own."""
import os
import statistics
import subprocess
import sys
import time

import churn_world as world

CONNECTIONS = int(os.environ.get("CONNECTIONS", 50000))
PROGRAMS = int(os.environ.get("PROGRAMS", 4))           # one can have 19,900
RATE = int(os.environ.get("RATE", 300))                 # new connections a second, of all
HOLD_S = int(os.environ.get("HOLD_S", 60))
SOURCES = 16                                            # addresses of one program
LIMIT_S = 2 * CONNECTIONS // RATE + HOLD_S + 400
GATEWAY, MW, CORE, INTERFACE = "198.18.0.10", "198.19.0.10", "198.19.0.20", "wic0"
KERNEL = "198.18.0.1"
EMPTY_S = 90


def sources(program):
    return [f"198.18.{1 + program}.{n}" for n in range(1, SOURCES + 1)]


def configuration(folder):
    """Clients on packets of our own, Mw on kernel sockets."""
    return f"""\
node: {{name: {world.HOST}, state_directory: {folder}/state}}
realms: [{{domain: {world.REALM}, visited_network: {world.REALM}}}]
workers: {{cores: [0, 1], idle: sleep}}
ports:
  - {{name: access, device: "tap:{INTERFACE}", addresses: [{GATEWAY}/16], gateways: [{KERNEL}]}}
  - {{name: core, device: kernel, addresses: [{MW}/32]}}
access:
  listen: [{{port: access, tcp: 443}}]
  paths: [/]
  tls: {{certificates: [{{certificate: {folder}/cert.pem, key: {folder}/key.pem}}]}}
mw:
  port: core
  sip_port: {world.MW_PORT}
  next_hops: [{{uri: "sip:{CORE}:{world.MW_PORT};transport=tcp"}}]
  options_interval: 0
  reg_event: false   # what is counted is what WICs do
  trusted: [{CORE}]
issuers:
  - {{name: shop-waf, iss: "{world.ISSUER}", audience: "{world.AUDIENCE}", algorithms: [ES256],
     jwks: "file:{folder}/jwks.json", authz_server: "{world.ISSUER}"}}
wwsf:
  - {{name: shop, issuer: shop-waf, origins: ["{world.ORIGIN}"], mode: individual,
     identities: {{file: {folder}/pairs.csv}}, {world.SITE_LIMITS}}}
limits: {{{world.ONE_ADDRESS_LIMITS}, max_connections: {CONNECTIONS + CONNECTIONS // 4}, max_bindings: {CONNECTIONS + CONNECTIONS // 4},
  max_transactions: {2 * CONNECTIONS}}}
tcp: {{source_half_open: 4096, source4_connections: {CONNECTIONS}, source_rate: 100000, source_burst: 100000,
  send_packets: 65536}}
control: {{socket: {folder}/control.sock}}
log: {{level: warning}}
"""


def prepare(folder):
    world.run("ip", "link", "set", "lo", "up")
    for address in (MW, CORE):
        world.run("ip", "addr", "add", f"{address}/32", "dev", "lo")
    world.make_keys(folder)
    pairs = world.run(world.LOAD, "--make-pairs", str(CONNECTIONS), "--domain", world.REALM)
    with open(f"{folder}/pairs.csv", "wb") as file:
        file.write(pairs)
    lines = pairs.decode().splitlines(keepends=True)
    for program in range(PROGRAMS):
        with open(f"{folder}/pairs-{program}.csv", "w") as file:
            file.writelines(lines[program::PROGRAMS])


def join():
    """The kernel's end of the gateway's port, with every client's address."""
    world.run("ip", "addr", "add", f"{KERNEL}/16", "dev", INTERFACE)
    world.run("ip", "link", "set", INTERFACE, "txqueuelen", "10000", "up")
    for program in range(PROGRAMS):
        for address in sources(program):
            world.run("ip", "addr", "add", f"{address}/32", "dev", INTERFACE)


def share(program):
    return CONNECTIONS // PROGRAMS + (program < CONNECTIONS % PROGRAMS)


def load(folder, program):
    command = [world.LOAD, "--target", f"{GATEWAY}:443", "--server-name", world.HOST, "--ca", f"{folder}/cert.pem",
               "--origin", world.ORIGIN, "--domain", world.REALM, "--signing-key", f"{folder}/es256.pem",
               "--kid", world.KEY_ID, "--issuer", world.ISSUER, "--audience", world.AUDIENCE,
               "--pairs", f"{folder}/pairs-{program}.csv", "--source", ",".join(sources(program)), "--clean",
               "--report", "1", "--connections", str(share(program)), "--rate", str(max(1, RATE // PROGRAMS)),
               "--hold", str(HOLD_S), "--seed", str(program + 1)]
    return world.Program(f"load-{program}", ["prlimit", f"--nofile={world.FILES}:{world.FILES}", *command], folder)


class Sample:
    def __init__(self, began, gateway):
        gateway.must_live()
        self.at_s = time.monotonic() - began
        self.rss_kib = gateway.rss_kib()
        self.stats = gateway.stats()

    def line(self):
        names = ["conn_live", "session_live", "binding_live", "tcp_retransmits", "tcp_timeouts", "tcp_cookies_out"]
        return f"{self.at_s:7.0f} {self.rss_kib:10} " + " ".join(f"{self.stats.get(name, 0):12}" for name in names)


def watch(loads, gateway, began):
    print("      s    rss_kib         conn      session      binding  retransmits     timeouts      cookies", flush=True)
    samples, due = [Sample(began, gateway)], 0
    while any(program.child.poll() is None for program in loads):
        time.sleep(0.2)
        if time.monotonic() - began > LIMIT_S:
            raise world.Broken(f"the load is not done after {LIMIT_S} s")
        if time.monotonic() < due:
            continue
        due = time.monotonic() + 5
        samples.append(Sample(began, gateway))
        print(samples[-1].line(), flush=True)
    return samples


def last_one(gateway, began):
    end = time.monotonic() + EMPTY_S
    while True:
        sample = Sample(began, gateway)
        if not any(sample.stats[name] for name in ("conn_live", "session_live", "binding_live")) or \
                time.monotonic() > end:
            print(sample.line(), flush=True)
            return sample
        time.sleep(1)


def verdicts(samples, last, loads):
    most = max(sample.stats["binding_live"] for sample in samples)
    full = [sample for sample in samples if sample.stats["binding_live"] == most]
    bytes_each = 1024 * (statistics.median(sample.rss_kib for sample in full) - samples[0].rss_kib) / max(1, most)
    print(f"memory: {bytes_each:.0f} bytes for each of {most} registered connections, TLS and SIP included")
    left = [f"{name} {last.stats[name]}" for name in ("conn_live", "session_live", "binding_live")
            if last.stats[name] != 0]
    statuses = [program.child.returncode for program in loads]
    return [(f"{CONNECTIONS} WSS connections are registered at a time over a TAP port",
             None if most == CONNECTIONS else f"{most}"),
            ("nothing is left of them when they have gone", ", ".join(left) or None),
            ("no invariant is broken", f"{last.stats['invariant_broken']} times"
             if last.stats["invariant_broken"] else None),
            ("no client sees anything unexpected", f"exit {statuses}" if any(statuses) else None)]


def play(folder):
    prepare(folder)
    core = world.Core(folder, CORE)
    gateway = world.Gateway(folder, configuration(folder))
    join()
    began = time.monotonic()
    loads = [load(folder, program) for program in range(PROGRAMS)]
    samples = watch(loads, gateway, began)
    last = last_one(gateway, began)
    for program in loads:
        print(world.text_of(program.log)[-1500:] if program.child.returncode else f"{program.name}: all well")
    print(f"gateway: {gateway.cpu_s():.1f} s of CPU; S-CSCF: {core.cpu_s():.1f} s; errors {gateway.errors()}")
    return verdicts(samples, last, loads) + [("the gateway stops when told to", gateway.stop())]


if __name__ == "__main__":
    sys.exit(world.main("crowd", play))
