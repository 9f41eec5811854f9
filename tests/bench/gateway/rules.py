# SPDX-License-Identifier: BSD-3-Clause
"""Rules with many expressions are compiled, by reloads one after the other, while the gateway registers: what its users and
its operator see of that, beside the same without a reload. One worker; each reload has other expressions than the one
before, and 10,000 prefixes."""
import sys

import gateway
import pools
from gateway import world

SITES, EXPRESSIONS, PREFIXES = 4, 256, 10000


def rules(generation):
    """The operator's prefixes, and EXPRESSIONS expressions of each of SITES web sites that nobody comes from."""
    prefixes = ", ".join(f"'tel:+{1000000 + 37 * i}'" for i in range(PREFIXES))
    sites = ""
    for s in range(SITES):
        expressions = ", ".join(f"'re:sip:(agent|queue){i}-[a-z]{{3,{generation % 20 + 4}}}[0-9]+@shop{s}\\.example'"
                                for i in range(EXPRESSIONS))
        sites += (f"  - {{name: rules{s}, issuer: rules-waf, origins: [\"https://rules{s}.example\"],\n"
                  f"     identities: {{domains: [{world.REALM}]}}, destinations: {{deny: [{expressions}]}}}}\n")
    return f"screening: {{deny: [{prefixes}]}}\n", sites


def configuration(folder, generation):
    text = gateway.configuration(folder)
    screening, sites = rules(generation)
    issuer = f"""\
  - {{name: rules-waf, iss: "https://waf.rules.example", audience: "{world.AUDIENCE}", algorithms: [ES256],
     jwks: "file:{folder}/jwks.json", authz_server: "https://waf.rules.example"}}
"""  # of their own: where an issuer has several sites its tokens say which
    text = text.replace("wwsf:\n", issuer + "wwsf:\n", 1)
    return screening + text.replace("limits: {upgrades_per_second", sites + "limits: {upgrades_per_second", 1)


class Swapper(pools.Swapper):
    """Reloads with other expressions, until it is told to end."""

    def __init__(self, server, path, text_of):
        super().__init__(server, path)
        self.text_of, self.generation = text_of, 0

    def run(self):
        while self.going:
            self.generation += 1
            with open(self.pool, "w") as file:
                file.write(self.text_of(self.generation))
            done, took_s = pools.timed(lambda: self.server.ask("reload"))
            if done.returncode != 0:
                raise world.Broken(f"reload: {done.stdout.decode()}")
            self.took_s.append(took_s)


def play(folder):
    world.prepare(folder, gateway.CLIENTS)
    core = gateway.Core(folder, world.CORE)

    def text_of(generation):
        return gateway.own_text(folder, "rules", configuration(folder, generation))

    own, text = gateway.own_folder(folder, "rules", configuration(folder, 0))
    server, start_s = pools.timed(lambda: pools.Wicgate(own, text))
    print(f"started in {start_s:.1f} s", flush=True)
    gateway.heading(f"{pools.RATE} a second, {pools.SECONDS} s", "REG 1/s", " p99 ms", "load end", ">= 2 ms", "longest", " CLI ms",
                    "RSS MiB", "peak MiB", f"{'reloads of the rules':24}")
    for what, swapper in (("without reloads", None), ("compiled", Swapper(server, f"{own}/wicgate.yaml", text_of)),
                          ("without again", None)):
        pools.play_with(folder, server, what, swapper)
    gateway.end(server, core)


if __name__ == "__main__":
    sys.exit(gateway.play_in_folder("rules", f"{SITES * EXPRESSIONS} expressions and {PREFIXES} prefixes, changed while others register; turns of the worker's loop in ms", play))
