#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The soak of pool.sh: Kamailio as S-CSCF, wicgate with two workers, and wicgate-load as a web site that lends pairs to
anonymous visitors, and now and then breaks the agreement. Runs in a namespace of its own."""
import json
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


VISITS = parameter("VISITS", 90000, 200)
BROWSERS = parameter("BROWSERS", 20000, 100)
PAIRS = parameter("PAIRS", 5000, 50)
RATE = parameter("RATE", 50, 10)                # visitors a second
TOKEN_S = parameter("TOKEN_S", 75, 4)           # lifetime of a token
STAY_S = parameter("STAY_S", 100, 4)            # longest visit
TALK_S = parameter("TALK_S", 20, 2)             # between two things a visitor says
DISHONEST = parameter("DISHONEST", 30, 300)     # tokens that break the agreement, for 1000 visits
CONNECTIONS = parameter("CONNECTIONS", 8000, 300)   # those that freeze have one for a while
MIN_GRANT = 1 if SHORT else 60
MAX_LIFETIME = max(60, TOKEN_S)                 # the agreed one; 60 is the least that can be agreed
REUSE = parameter("REUSE", 10, 2)               # visitors of each pair at least
SAMPLE_S = parameter("SAMPLE_S", 10, 1)
GROWTH = 1.05                                   # memory in the last third against the first
EMPTY_S = TOKEN_S + 60                          # for the last token to end, and the last timers
LIMIT_S = 2 * VISITS // RATE + 300              # for the whole load

GAUGES = ["conn_live", "session_live", "binding_live", "lease_live", "home_live", "transaction_live", "verify_live",
          "parked_live", "held_live"]
REPORT = re.compile(r"^load: phase=(\w+) .*connected=(\d+) registered=(\d+) .*visits=(\d+) waiting=(\d+)", re.M)
# what the gateway has to have counted: by the names of the load's counts
KINDS = {"overlap": "dishonest and refused: a pair that another visitor has",
         "older": "dishonest and refused: a token older than the one its visitor has",
         "replay": "dishonest and refused: the jti of another visitor",
         "long": "dishonest and refused: a longer lifetime than agreed",
         "mixed": "dishonest and refused: the private identity of another pair",
         "foreign": "dishonest and refused: a pair of another web site, or nobody's"}
CAUGHT = {"errors.GW_PAIR_IN_USE": ["overlap", "older"], "pool_conflicts": ["overlap", "replay"],
          "lease_refused": ["overlap", "older", "replay"],
          "errors.GW_TOKEN_JTI": ["replay"], "errors.GW_TOKEN_TIME": ["long"],
          "errors.GW_IDENTITY_FOREIGN": ["mixed", "foreign"]}
# what no honest site and no core that answers give a reason for
NEVER = ["invariant_broken", "lease_ring_full", "lease_forgotten", "outbox_dropped", "errors.GW_LEASE_BUSY",
         "errors.GW_LEASE_VOID", "errors.GW_LEASE_LIMIT", "deregister_failed"]


def configuration(folder):
    """The agreed lifetime is that of the site's tokens. A second site has pairs of its own."""
    quick = "min_grant: 1, flow_grace: 2, ws_ping: 1, ws_silence: 3, " if SHORT else \
        "tls_handshake: 30, http_upgrade: 30, pre_auth: 60, "   # on a machine that does other things too
    return f"""\
node: {{name: {world.HOST}, state_directory: {folder}/state}}
realms: [{{domain: {world.REALM}, visited_network: {world.REALM}}}]
workers: {{cores: [0, 1], idle: sleep}}
ports:
  - {{name: access, device: kernel, addresses: [{world.GATEWAY}/24]}}
access:
  listen: [{{port: access, tcp: 443}}]
  paths: [/]
  tls: {{certificates: [{{certificate: {folder}/cert.pem, key: {folder}/key.pem}}]}}
mw:
  port: access
  sip_port: {world.MW_PORT}
  next_hops: [{{uri: "sip:{world.CORE}:{world.MW_PORT};transport=tcp"}}]
  options_interval: 0
  reg_event: false   # what is counted is what WICs do
  trusted: [{world.CORE}]
issuers:
  - {{name: shop-waf, iss: "{world.ISSUER}", audience: "{world.AUDIENCE}", algorithms: [ES256],
     jwks: "file:{folder}/jwks.json", authz_server: "{world.ISSUER}"}}
  - {{name: other-waf, iss: "https://waf.other.example", audience: "{world.AUDIENCE}", algorithms: [ES256],
     jwks: "file:{folder}/jwks.json", authz_server: "https://waf.other.example"}}
wwsf:
  - {{name: shop, issuer: shop-waf, origins: ["{world.ORIGIN}"], mode: pool, jti: required,
     identities: {{file: {folder}/pairs.csv}}, {world.SITE_LIMITS}}}
  - {{name: other, issuer: other-waf, origins: ["https://other.example"], mode: pool,
     identities: {{file: {folder}/foreign.csv}}}}
limits: {{{quick}{world.ONE_ADDRESS_LIMITS}, max_pool_lifetime: {MAX_LIFETIME}, max_connections: {2 * CONNECTIONS},
  max_bindings: {2 * CONNECTIONS}, max_transactions: {4 * CONNECTIONS}}}
control: {{socket: {folder}/control.sock}}
audit: {{file: {folder}/audit.log}}
log: {{level: warning}}
"""


def foreign_pairs(folder):
    """Those of another web site, under the names that wicgate-load gives them."""
    with open(f"{folder}/foreign.csv", "w") as file:
        for n in range(1, PAIRS + 1):
            file.write(f"foreign-{n}@{world.REALM},sip:foreign-{n}@{world.REALM}\n")


class Sample:
    """One look at the gateway, with what the load said last."""

    def __init__(self, began, gateway, load_log):
        gateway.must_live()
        report = REPORT.findall(world.text_of(load_log))
        self.phase, *said = report[-1] if report else ("start", "0", "0", "0", "0")
        self.connected, self.registered, self.visits, self.waiting = (int(number) for number in said)
        self.at_s = time.monotonic() - began
        self.rss_kib, self.files, self.stats = gateway.rss_kib(), gateway.files(), gateway.stats()

    def gauge(self, name):
        return self.stats.get(name, 0)

    def line(self):
        numbers = [self.rss_kib, self.files, *(self.gauge(name) for name in GAUGES[:6]), self.connected,
                   self.registered, self.visits, self.waiting]
        return f"{self.at_s:7.0f} {self.phase:7}" + "".join(f"{n:12}" for n in numbers)


def heading():
    names = ["rss_kib", "files", *(name.replace("_live", "") for name in GAUGES[:6]), "connected", "registered",
             "visits", "waiting"]
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


def watch_empty(core, gateway, load_log, began):
    """Samples until nothing is left of the visitors, or for EMPTY_S. Returns the last sample, and how many
    registrations the core has."""
    end = time.monotonic() + EMPTY_S
    while True:
        sample, held = Sample(began, gateway, load_log), core.contacts()
        if not held and not any(sample.gauge(name) for name in GAUGES) or time.monotonic() > end:
            print(sample.line(), flush=True)
            return sample, held
        time.sleep(0.5)


def grown(samples):
    """Why memory is not what it should be, or None. The first third has all that visitors need at a time."""
    visits = [s for s in samples if s.phase == "visit"]
    third = len(visits) // 3
    if third == 0:
        return "no sample was taken"
    top, now = max(s.rss_kib for s in visits[:third]), statistics.median(s.rss_kib for s in visits[-third:])
    print(f"memory: {top} KiB at most in the first third, {now:.0f} KiB in the last ({100 * (now - top) / top:+.2f} %)")
    return None if now <= top * GROWTH else f"{now:.0f} KiB after {top} KiB"


def miscounted(counts, stats):
    """What the gateway counted otherwise than the load, or None."""
    wrong = []
    for name, kinds in CAUGHT.items():
        load, gateway = sum(counts[KINDS[kind]] for kind in kinds), stats.get(name, 0)
        print(f"{' and '.join(kinds)}: {load} by the load, {gateway} by the gateway ({name})")
        if name not in stats or load != gateway:
            wrong.append(f"{name}: {gateway} instead of {load}")
    return ", ".join(wrong) or None


def unaudited(folder, counts, stats):
    """How the audit stream tells of conflicts, or None when it does. Events that find no room are dropped and counted."""
    expected = sum(counts[KINDS[kind]] for kind in CAUGHT["pool_conflicts"])
    with open(os.path.join(folder, "audit.log")) as lines:
        told = sum("pool_conflict" in line for line in lines)
    print(f"conflicts: {expected}, {told} in the audit stream, {stats['event_dropped']} events dropped")
    return None if told == expected or told < expected and stats["event_dropped"] else f"{told} of {expected}"


def not_tried(counts):
    return ", ".join(kind for kind, name in KINDS.items() if counts[name] == 0) or None


def nonzero(stats, names):
    return ", ".join(f"{name} {stats[name]}" for name in names if stats.get(name, 0) != 0) or None


def too_few(result):
    pairs = result["pairs"]
    print(f"each pair had {pairs['least']} to {pairs['most']} visitors, median {pairs['median']}: {pairs['lent']} of "
          f"{pairs['count']} pairs; {result['registered_most']} registered at a time")
    return None if pairs["least"] >= REUSE else f"one had {pairs['least']}"


def verdicts(folder, samples, last, held, load_status, result):
    counts = result["counts"]
    away = counts["visitors turned away: no pair in time"]
    return [
        ("no client of an honest site sees anything unexpected", f"exit {load_status}" if load_status else None),
        ("the pairs of a pool have one visitor after the other", too_few(result)),
        ("each way to break the agreement is tried", not_tried(counts)),
        ("each dishonest token is refused, and counted for what it is", miscounted(counts, last.stats)),
        ("each conflict is in the audit stream", unaudited(folder, counts, last.stats)),
        ("all visitors get a pair or are turned away", None if result["pairs"]["lent"] + away == VISITS else
         f"{result['pairs']['lent']} and {away} of {VISITS}"),
        (f"{VISITS} visitors of a pool do not make memory grow", grown(samples)),
        ("no lease, binding or transaction is left when the last token has ended", nonzero(last.stats, GAUGES)),
        ("the core has no registration either", f"{held}" if held else None),
        ("leases break no invariant and lose no message", nonzero(last.stats, NEVER)),
    ]


def load_command(folder):
    return [world.LOAD, "--target", f"{world.GATEWAY}:443", "--server-name", world.HOST, "--ca", f"{folder}/cert.pem",
            "--origin", world.ORIGIN, "--domain", world.REALM, "--signing-key", f"{folder}/es256.pem",
            "--kid", world.KEY_ID, "--issuer", world.ISSUER, "--audience", world.AUDIENCE,
            "--pairs", f"{folder}/pairs.csv", "--source", ",".join(world.CLIENTS), "--clean", "--report", "1", "--json",
            "--connections", str(CONNECTIONS), "--rate", str(RATE), "--visits", str(VISITS), "--pool", str(PAIRS),
            "--browsers", str(BROWSERS), "--stay", str(STAY_S), "--talk", str(TALK_S), "--dishonest", str(DISHONEST),
            "--token-lifetime", str(TOKEN_S), "--max-lifetime", str(MAX_LIFETIME), "--min-grant", str(MIN_GRANT),
            "--seed", os.environ.get("SEED", "1")]


def show(result):
    """What the load counted, as text."""
    for deed in result["deeds"]:
        print(f"{deed['phase']}: {deed['what']}: {deed['count']} ({deed['per_second']:.1f}/s), p50 {deed['p50_us']} us, "
              f"p99 {deed['p99_us']} us, max {deed['max_us']} us")
    for name, count in result["counts"].items():
        print(f"{name}: {count}")
    for failure in result["failures"]:
        print(f"unexpected: {failure['what']} ({failure['detail']}): {failure['count']}")


def play(folder):
    """Returns the verdicts: (sentence, None or why not)."""
    world.prepare(folder, PAIRS)
    foreign_pairs(folder)
    core = world.Core(folder, switches=["QUIET", f"MIN_EXPIRES={MIN_GRANT}"])
    gateway = world.Gateway(folder, configuration(folder))
    load_log, text = os.path.join(folder, "load.log"), os.path.join(folder, "load.json")
    began = time.monotonic()
    with open(load_log, "w") as log, open(text, "w") as out:
        load = subprocess.Popen(load_command(folder), stdin=subprocess.DEVNULL, stdout=out, stderr=log)
    samples = watch(load, gateway, load_log, began)
    last, held = watch_empty(core, gateway, load_log, began)
    if load.returncode not in (0, 1):
        raise world.Broken(f"wicgate-load could not start:\n{world.text_of(load_log)[-3000:]}")
    result = json.loads(world.text_of(text))
    show(result)
    print(f"gateway: {gateway.cpu_s():.1f} s of CPU; S-CSCF: {core.cpu_s():.1f} s; load: "
          f"{result['cpu']['user_s'] + result['cpu']['system_s']:.1f} s")
    print(f"counted by the gateway: {json.dumps({name: n for name, n in last.stats.items() if n})}")
    return verdicts(folder, samples, last, held, load.returncode, result) + \
        [("the gateway stops when told to", gateway.stop())]


if __name__ == "__main__":
    sys.exit(world.main("pool", play))
