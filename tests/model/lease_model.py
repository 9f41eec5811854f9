#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tries everything that can happen to the lease of one pool pair (docs/design.md, Leases), breadth first.

One home worker and two others, each with one WIC that comes back on a new flow when its own has ended. A ring each way, in
order, delayed for as long as it likes: a full ring is a slow one, and a reserve that finds it full is as if it had not been asked
for. The core says yes, no or nothing. After each step the promises below are looked at; the shortest way to a broken one is printed.

With --without RULE a rule of the protocol is left out, and the run passes when a promise is broken: each rule is needed, and
the model notices. Without arguments both is done: the whole protocol, and each rule left out."""
import argparse
import sys
import time
from collections import namedtuple

# What time is: a few moments at which tokens begin and end. Shorter spans (2 s, 35 s) are events that may come at any moment
# behind what began them. A worker sees its timers one moment late at most.
SLOW = 1
AHEAD = 2  # an issuer's clock may be so many moments ahead

RULES = {
    "one-grant": "while a grant is out, nobody on another flow gets one",
    "leaving": "who was replaced by a takeover is waited for until his release",
    "waits": "who is over by his web site's word is waited for until his release",
    "late": "the home worker gives a grant up later than its user does, by more than a message is on its way",
    "deadline": "a 200 behind the deadline of its grant binds nothing",
    "exp": "a 200 behind the end of its token binds nothing",
    "order": "a reserve does not overtake what waits for room in the same ring",
    "cancel": "a grant that cannot be used is cancelled",
    "release": "every end of a binding is said, that of a lost one too",
    "refresh": "a refresh without a grant binds only what still lives when its 200 comes",
    "last": "the terms of who had it last are kept",
    "beside": "who had it last is looked at also while another has a grant that has brought nothing yet",
    "pending": "a flow has one REGISTER under way at a time, a refresh too",
    "jti": "a jti serves one user",
}

Token = namedtuple("Token", "sub jti iat exp")
# flow: 0 none. asking: (ticket, token) or None. under: REGISTERs at the core (flow, generation, token, late).
# bound: live bindings (binding, flow, generation, token); a binding is named by the generation it began with.
Worker = namedtuple("Worker", "flow asks deaths asking under bound")
# A refresh with the very same token goes to the core under the lease that its binding has: late is REFRESH.
# The four places of the home worker: holder (state, generation, worker, flow, binding, token), leaving (generation, worker,
# binding), grant (generation, worker, flow, token) and asker (worker, flow, ticket, token). last: token of who had it last.
# had: of whose REGISTER the core said yes last; only the promises look at it.
Home = namedtuple("Home", "generation holder leaving grant asker last had")
State = namedtuple("State", "now workers home up down")
HELD, ENDING, REFRESH = "held", "ending", "refresh"

A, A_NEW, A_SHORT = Token("A", 1, -2, 1), Token("A", 2, -1, 2), Token("A", 3, -1, 0.5)
B, B_AFTER, B_BETWEEN = Token("B", 4, -1, 3), Token("B", 5, 2, 9), Token("B", 6, 1, 9)
B_JTI = Token("B", 1, 2, 9)
# name, tokens that each of the two may show, REGISTERs of each, flows that each may lose, the last moment
SCENARIOS = [
    ("a jti of two users", ((A,), (B_JTI,)), (1, 1), (0, 0), 2),
    ("a user whose newer token ends first, another in between", ((A, A_SHORT), (B_BETWEEN,)), (2, 1), (0, 0), 1),
    ("two users at a time", ((A,), (B,)), (2, 1), (1, 0), 1),
    ("two users, one after the other", ((A,), (B_AFTER,)), (2, 1), (1, 0), 2),
    ("one user, an older and a newer token", ((A,), (A_NEW,)), (2, 1), (0, 1), 2),
    ("both windows have both users", ((A, B_AFTER), (A, B_AFTER)), (2, 1), (0, 0), 1),
    ("one user, two windows", ((A,), (A,)), (2, 1), (1, 0), 1),
]


class Broken(Exception):
    pass


def put(pair, at, value):
    return (value, pair[1]) if at == 0 else (pair[0], value)


def verdict(token, same_flow, other):
    """Of 6.4: the terms of who asks against those of one other."""
    if token.sub == other.sub:
        return "granted" if same_flow or token.iat >= other.iat else "in use"
    if token.jti == other.jti:
        return "jti"
    return "over" if token.iat > other.exp else "in use"


class Model:
    def __init__(self, scenario, without):
        self.name, self.tokens, asks, deaths, self.end = scenario
        self.without = without
        worker = lambda i: Worker(1, asks[i], deaths[i], None, (), ())
        self.start = State(0, (worker(0), worker(1)), Home(0, None, None, None, None, None, None), ((), ()), ((), ()))

    def on(self, rule):
        return rule not in self.without

    # ---- the home worker, as identity/lease.c: (home, [(worker, message)])

    def judge(self, home, worker, flow, token):
        """The worst of the verdicts."""
        others = [((h[2], h[3]) == (worker, flow), h[5]) for h in (home.holder,) if h]
        others += [(g[1:3] == (worker, flow), g[3]) for g in (home.grant,) if g]
        others += [(a[:2] == (worker, flow), a[3]) for a in (home.asker,) if a]
        too = self.on("beside") or {verdict(token, *other) for other in others} <= {"granted"}
        if home.last and self.on("last") and too:
            others.append((False, home.last))
        said = {verdict(token, *other) for other in others}
        if not self.on("jti") and "jti" in said:
            said = {"over"}
        for worst in ("jti", "in use", "over"):
            if worst in said:
                return worst
        return "granted"

    def busy(self, home):
        worker, flow, ticket, _ = home.asker
        return [(worker, ("refused", flow, ticket, "busy"))]

    def ended(self, home):
        """The holder is told to end."""
        holder = home.holder
        return home._replace(holder=(ENDING,) + holder[1:]), [(holder[2], ("ended", holder[1]))]

    def granted(self, home):
        worker, flow, ticket, token = home.asker
        if home.had and home.had.sub != token.sub and (home.had.jti == token.jti or home.had.exp >= token.iat):
            raise Broken("a grant to another user than the web site's last word allows")
        generation = home.generation + 1
        return (home._replace(generation=generation, grant=(generation, worker, flow, token), asker=None),
                [(worker, ("granted", generation, flow, ticket))])

    def advance(self, home, said):
        """Whoever waits gets his grant when nobody is in the way."""
        asker, grant, holder = home.asker, home.grant, home.holder
        if not asker or home.leaving or (grant and grant[1:3] != asker[:2] and self.on("one-grant")):
            return home, said
        same_sub = holder and holder[5].sub == asker[3].sub
        if holder and holder[0] == HELD and not same_sub:
            home, told = self.ended(home)
            said = said + told
        if holder and not same_sub and self.on("waits"):
            return home, said
        home, told = self.granted(home)
        return home, said + told

    def reserve(self, home, worker, flow, ticket, token):
        judged = self.judge(home, worker, flow, token)
        if judged in ("jti", "in use"):
            return home, [(worker, ("refused", flow, ticket, judged))]
        said = self.busy(home) if home.asker else []
        return self.advance(home._replace(asker=(worker, flow, ticket, token)), said)

    def confirm(self, home, worker, generation, flow, binding):
        holder, grant, said = home.holder, home.grant, []
        if not grant or grant[0] != generation:
            if holder and holder[0] == HELD and holder[1] == generation:
                return home._replace(holder=holder[:3] + (flow, binding) + holder[5:]), []
            return home, [(worker, ("ended", generation))]
        if holder and (holder[2], holder[4]) != (worker, binding):
            if holder[0] == HELD:
                said = self.ended(home)[1]
            if self.on("leaving"):
                home = home._replace(leaving=(holder[1], holder[2], holder[4]))
        held = (HELD, generation, worker, flow, binding, grant[3])
        return self.advance(home._replace(holder=held, grant=None, last=None, had=grant[3]), said)

    def release(self, home, worker, generation, binding):
        leaving, holder = home.leaving, home.holder
        if leaving and (leaving[0] == generation or leaving[1:] == (worker, binding)):
            home = home._replace(leaving=None)
        if holder and (holder[1] == generation or (holder[2], holder[4]) == (worker, binding)):
            home = home._replace(holder=None, last=holder[5])
        return self.advance(home, [])

    def cancel(self, home, generation):
        if home.grant and home.grant[0] == generation:
            home = home._replace(grant=None)
        return self.advance(home, [])

    def home_takes(self, s, worker, message):
        kind = message[0]
        if kind == "reserve":
            return self.reserve(s.home, worker, *message[1:])
        if kind == "confirm":
            return self.confirm(s.home, worker, *message[1:])
        return self.release(s.home, worker, *message[1:]) if kind == "release" else self.cancel(s.home, message[1])

    def home_time(self, s):
        """What time may change at the home worker: (what, home, said). Who leaves or ends has said so by the time that the
        home worker would give him up, 10 s behind all that he may still do: see `late`."""
        home = s.home
        if home.asker:
            yield ("who waits has waited 2 s", *self.advance(home._replace(asker=None), self.busy(home)))
        if home.grant:
            generation = home.grant[0]
            late = any(u[1] == generation and u[3] is True for w in s.workers for u in w.under)
            if late or not self.on("late"):
                yield ("a grant is void", *self.cancel(home, generation))
        if home.holder and home.holder[0] == HELD and home.holder[5].exp <= s.now:
            yield ("the token of the holder ends", *self.advance(*self.ended(home)))
        if not self.on("late"):
            if home.holder and home.holder[0] == ENDING:
                yield ("who was told to end says nothing", *self.release(home, None, home.holder[1], None))
            if home.leaving:
                yield ("who is leaving says nothing", *self.release(home, None, home.leaving[0], None))

    # ---- the worker of a flow: (worker, [message])

    def worker_takes(self, w, message):
        kind = message[0]
        if kind == "ended":
            for b in w.bound:
                if b[2] == message[1]:
                    return w._replace(bound=tuple(x for x in w.bound if x is not b)), [("release", b[2], b[0])]
            return w, []
        flow, ticket = message[1:3] if kind == "refused" else message[2:4]
        mine = w.asking and w.flow == flow and w.asking[0] == ticket
        if kind == "refused":
            return (w._replace(asking=None) if mine else w), []
        if not mine:
            return w, [("cancel", message[1])] if self.on("cancel") else []
        under = w.under + ((flow, message[1], w.asking[1], False),)
        return w._replace(asking=None, under=under), []

    def core_says_200(self, w, r, now):
        flow, generation, token, late = r
        w = w._replace(under=tuple(x for x in w.under if x is not r))
        if late == REFRESH and (self.on("refresh") or any(b[2] == generation for b in w.bound)):
            return w, []
        if (late is True and self.on("deadline")) or (token.exp <= now and self.on("exp")):
            return w, [("cancel", generation)]
        if token.exp <= now:
            raise Broken("a registration begins behind the end of its token")
        mine = [b for b in w.bound if b[1] == flow] if flow == w.flow else []
        name = mine[0][0] if mine else generation
        bound = tuple(x for x in w.bound if x not in mine) + ((name, flow if flow == w.flow else 0, generation, token),)
        return w._replace(bound=tuple(sorted(bound))), [("confirm", generation, flow, name)]

    def register(self, w, token):
        what = f"REGISTER of {token.sub}, iat {token.iat} exp {token.exp}"
        for b in w.bound:
            if b[1] == w.flow and b[3] == token:
                return what, w._replace(asks=w.asks - 1, under=w.under + ((w.flow, b[2], token, REFRESH),)), []
        return what, w._replace(asks=w.asks - 1, asking=(w.asks, token)), [("reserve", w.flow, w.asks, token)]

    def worker_does(self, s, i):
        """What may happen at a worker by itself: (what, worker, messages)."""
        w = s.workers[i]
        if w.asks and not w.asking and not (any(u[0] == w.flow for u in w.under) and self.on("pending")):
            for token in self.tokens[i]:
                if token.exp > s.now and token.iat <= s.now + AHEAD:
                    yield self.register(w, token)
        if w.asking:
            yield "gives up", w._replace(asking=None), []
        if w.deaths:
            bound = tuple(sorted((b[0], 0) + b[2:] for b in w.bound))
            yield "its flow ends", w._replace(flow=w.flow + 1, deaths=w.deaths - 1, asking=None, bound=bound), []
        for r in w.under:
            rest = tuple(x for x in w.under if x is not r)
            yield "core: 200", *self.core_says_200(w, r, s.now)
            yield ("core: no, or nothing for 32 s", w._replace(under=rest),
                   [("cancel", r[1])] if r[3] != REFRESH else [])
            if not r[3]:
                yield "the deadline of a grant passes", w._replace(under=rest + (r[:3] + (True,),)), []
        for b in w.bound:
            what = "a binding ends at its exp" if b[3].exp <= s.now else "a binding ends"
            yield (what, w._replace(bound=tuple(x for x in w.bound if x is not b)),
                   [("release", b[2], b[0])] if b[1] or self.on("release") else [])

    # ---- steps

    def sent(self, up, i, messages):
        if not messages:
            return up
        if messages[0][0] == "reserve" and not self.on("order"):
            at = max([n + 1 for n, m in enumerate(up[i]) if m[0] == "reserve"], default=0)
            return put(up, i, up[i][:at] + tuple(messages) + up[i][at:])
        return put(up, i, up[i] + tuple(messages))

    def home_step(self, s, home, said):
        down = s.down
        for worker, message in said:
            down = put(down, worker, down[worker] + (message,))
        return s._replace(home=home, down=down)

    def steps(self, s):
        for i in (0, 1):
            if s.up[i]:
                message = s.up[i][0]
                taken = s._replace(up=put(s.up, i, s.up[i][1:]))
                yield f"home takes {message} of {i}", self.home_step(taken, *self.home_takes(taken, i, message))
            if s.down[i]:
                message = s.down[i][0]
                w, said = self.worker_takes(s.workers[i], message)
                taken = s._replace(workers=put(s.workers, i, w), down=put(s.down, i, s.down[i][1:]))
                yield f"{i} takes {message}", taken._replace(up=self.sent(s.up, i, said))
            for what, w, said in self.worker_does(s, i):
                yield f"{i}: {what} {said}", s._replace(workers=put(s.workers, i, w), up=self.sent(s.up, i, said))
        for what, home, said in self.home_time(s):
            yield f"home: {what}", self.home_step(s, home, said)
        if s.now < self.end and all(b[3].exp + SLOW > s.now for w in s.workers for b in w.bound):
            yield f"it is {s.now + 1}", s._replace(now=s.now + 1)

    # ---- promises

    def check(self, s):
        live = [(i, b) for i in (0, 1) for b in s.workers[i].bound]
        if len({b[3].sub for _, b in live}) > 1:
            raise Broken("two users have live bindings of the pair")
        if any(b[3].exp + SLOW < s.now for _, b in live):
            raise Broken("a binding lives longer than its token")
        if len(live) > 1:
            self.check_leaving(s, live)
        self.check_grants(s)
        self.check_rest(s, live)

    def check_leaving(self, s, live):
        leaving = sum(1 for i, b in live if ("ended", b[2]) in s.down[i])
        by_confirm = sum(1 for i, b in live if any(m[0] == "confirm" and m[1] == b[2] for m in s.up[i]))
        if len(live) - leaving - by_confirm > 1:
            raise Broken("two windows have the pair and nobody is told to end")

    def check_grants(self, s):
        usable = {(i, u[0]) for i in (0, 1) for u in s.workers[i].under if u[3] is False}
        for i in (0, 1):
            asking = s.workers[i].asking
            usable |= {(i, m[2]) for m in s.down[i] if m[0] == "granted" and asking and m[3] == asking[0] and
                       m[2] == s.workers[i].flow}
        if len(usable) > 1:
            raise Broken("two flows have a grant of the pair")

    def check_rest(self, s, live):
        """Nothing on its way: nothing may be left over."""
        home = s.home
        if any(s.up) or any(s.down):
            return
        for i in (0, 1):
            w = s.workers[i]
            if w.asking and not (home.asker and home.asker[:3] == (i, w.flow, w.asking[0])):
                raise Broken("a reserve is not answered")
        if any(w.under for w in s.workers):
            return
        if home.grant:
            raise Broken("a grant is out and nobody has it")
        if home.leaving:
            raise Broken("somebody is waited for who has ended")
        if home.holder and home.holder[0] == ENDING:
            raise Broken("a holder is told to end and says nothing")
        if home.asker:
            raise Broken("somebody waits for nobody")
        if home.holder and not any(b[2] == home.holder[1] for _, b in live):
            raise Broken("a lease is held and has no binding")
        if live and not (home.holder and all(b[2] == home.holder[1] for _, b in live)):
            raise Broken("a binding has no lease")


def trace(seen, s):
    steps = []
    while seen[s]:
        s, what = seen[s]
        steps.append(what)
    return steps[::-1]


def explore(model):
    """Breadth first: (states, transitions, what is broken, the steps to it)."""
    seen, layer, transitions = {model.start: None}, [model.start], 0
    while layer:
        following = []
        for s in layer:
            what = None
            try:
                for what, after in model.steps(s):
                    transitions += 1
                    if after not in seen:
                        seen[after] = (s, what)
                        s_before, s = s, after
                        model.check(after)
                        s = s_before
                        following.append(after)
            except Broken as e:
                return len(seen), transitions, str(e), trace(seen, s)
        layer = following
    return len(seen), transitions, None, []


def run(without, scenarios, quiet):
    """All scenarios: (states, transitions, what is broken, the steps to it)."""
    states = transitions = 0
    for scenario in scenarios:
        begun = time.monotonic()
        n, t, why, steps = explore(Model(scenario, without))
        states, transitions = states + n, transitions + t
        if not quiet:
            print(f"  {scenario[0]}: {n} states, {t} transitions, {time.monotonic() - begun:.1f} s", flush=True)
        if why:
            return states, transitions, f"{scenario[0]}: {why}", steps
    return states, transitions, None, []


def each_rule_is_needed(scenarios):
    """Whether a promise is broken without any one of the rules."""
    needed = True
    for rule, text in RULES.items():
        n, _, why, steps = run({rule}, scenarios, True)
        print(f"  {'ok' if why else 'NOT NEEDED'} {rule}: {text} (without it, {why} in {len(steps)} steps)", flush=True)
        needed = needed and why is not None
    return needed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without", action="append", default=[], choices=list(RULES))
    parser.add_argument("--scenario", default="", help="words of the names of those to run")
    args = parser.parse_args()
    scenarios = [s for s in SCENARIOS if args.scenario in s[0]]
    n, t, why, steps = run(set(args.without), scenarios, False)
    print(f"{n} states, {t} transitions: {why or 'every promise is kept'}")
    for step in steps:
        print("   ", step)
    if args.without or args.scenario:
        return 0 if bool(why) == bool(args.without) else 1
    return 1 if why or not each_rule_is_needed(scenarios) else 0


if __name__ == "__main__":
    sys.exit(main())
