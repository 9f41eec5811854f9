#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""libjwt.py TOKEN_VERDICT: libjwt beside us.

What we accept, libjwt accepts, but for what GOOD lists. What libjwt accepts and we refuse stands in BAD with our rule; no
random damage may show a way that is not there. libjwt is given the issuer's key and nothing else, as jwt_decode() has it.
"""
import base64
import random
import re
import sys

from libjwt_rows import ALPHABET, BAD, GOOD, NO, YES, World
from oracle import CLAIMS, NOW, Folder, Report, encode, verdicts
from scribble import Raw, damaged_octets, scribble, text_make, value_make

TOKENS = [("ec", 1600), ("rsa-2048", 400), ("rsa-3072", 100), ("rsa-4096", 60)]
DAMAGED = 2400


def check_rows(report, program, world):
    cases = [("all", world.keys[row.key].path, row.make(world)) for row in BAD]
    wrong = []
    for row, case, answer in zip(BAD, cases, verdicts(program, cases)):
        if (answer.whole, answer.libjwt) != (row.ours, row.libjwt):
            wrong.append(f"{row.place}, {row.rule}: {answer.whole}, libjwt {answer.libjwt}: {case[2]}")
    report.say("bad tokens are refused by the rule of their row, libjwt says what the row says", wrong)


def check_good(report, program, world):
    cases = [("all", world.ec.path, make(world)) for _, make in GOOD]
    wrong = [f"{good[0]}: {answer.whole}, libjwt {answer.libjwt}" for good, answer in zip(GOOD, verdicts(program, cases))
             if (answer.whole, answer.libjwt) != ("GW_OK", NO)]
    report.say("libjwt refuses good tokens for what is listed", wrong)


def date_text(seconds):
    """One of the ways to write a date of that second."""
    digits = str(seconds)
    return Raw(random.choice([digits, digits + ".0", f"{digits}.{random.randrange(10**6):06}", f"{digits[0]}.{digits[1:]}e9",
                              f"{digits[:5]}.{digits[5:]}E+5", f"{digits}00e-2", f"{digits}0.5E-1"]))


def claims_make():
    issued = NOW + random.randrange(-3500, 30)
    claims = {"iss": CLAIMS["iss"], "sub": text_make(1, 40), "impi": text_make(1, 60), "iat": date_text(issued),
              "exp": date_text(random.randrange(max(NOW, issued) + 1, issued + 3600)),
              "aud": random.choice([CLAIMS["aud"], [CLAIMS["aud"]], [text_make(0, 20), CLAIMS["aud"], text_make(0, 20)]]),
              "impu": random.choice([text_make(1, 60), [text_make(1, 60) for _ in range(random.randrange(1, 9))]])}
    optional = {"nbf": date_text(issued - random.randrange(100)), "jti": text_make(1, 32), "wwsf": "shop", "scn": "individual",
                "scope": "ims.register", "azp": text_make(0, 20), "client_id": text_make(0, 20)}
    claims.update({name: value for name, value in optional.items() if random.random() < 0.3})
    for _ in range(random.randrange(6)):
        claims["x-" + text_make(0, 12)] = value_make(6)
    return shuffled(claims)


def header_make(alg):
    header = {"alg": alg}
    if random.random() < 0.7:
        header["typ"] = random.choice(["JWT", "jwt", "Jwt"])
    if random.random() < 0.3:
        header["x-" + text_make(0, 5)] = value_make(3)
    return shuffled(header)


def shuffled(members):
    names = list(members)
    random.shuffle(names)
    return {name: members[name] for name in names}


def token_make(key):
    while True:
        header, payload = scribble(header_make(key.alg)), scribble(claims_make())
        token = key.token(header, payload)
        if len(header) <= 1024 and len(token) <= 8192:
            return token


def check_random(report, program, world):
    keys = [world.keys[name] for name, count in TOKENS for _ in range(count)]
    cases = [("all", key.path, token_make(key)) for key in keys]
    answers = verdicts(program, cases)
    ours = [f"{answer.whole}: {case[2]}" for case, answer in zip(cases, answers) if answer.whole != "GW_OK"]
    theirs = [case[2] for case, answer in zip(cases, answers) if answer.libjwt != YES]
    report.say(f"{len(cases)} good tokens of every shape are accepted", ours)
    report.say("libjwt accepts every token that we accept", theirs)


def damaged_text(_, token):
    at, character = random.randrange(len(token)), random.choice(ALPHABET + "=. \t*+/%")
    before, behind = token[:at], token[at + 1:]
    changed = [before + character + behind, before + character + token[at:], before + behind, before, token + character]
    return random.choice(changed)


def damaged_signed_text(world, _):
    parts = encode(scribble(header_make("ES256"))), encode(scribble(claims_make()))
    text = list(parts)
    which = random.randrange(2)
    at = random.randrange(len(text[which]) + 1)
    text[which] = text[which][:at] + random.choice(ALPHABET + "= \t*+/%\x80\xff") + text[which][at + random.randrange(2):]
    signed = ".".join(text)
    return signed + "." + encode(world.ec.sign(signed.encode("latin-1")))


def damaged_claims(world, _):
    """Without a claim, with one of another kind, or not JSON any more."""
    claims = claims_make()
    name = random.choice(list(claims))
    kind = random.randrange(3)
    if kind == 0:
        del claims[name]
    elif kind == 1:
        claims[name] = value_make(5)
    octets = scribble(claims)
    return world.ec.token(scribble(header_make("ES256")), damaged_octets(octets) if kind == 2 else octets)


def damaged_header(world, _):
    header = header_make("ES256")
    kind = random.randrange(3)
    if kind == 0:
        header[random.choice(["alg", "typ", "kid", "crit", "b64", "jwk", "jku"])] = value_make(5)
    octets = scribble(header)
    return world.ec.token(damaged_octets(octets) if kind else octets, scribble(claims_make()))


def explained(token):
    """A good token that libjwt refuses has something of GOOD in it."""
    text = b" ".join(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")[:2])
    return re.search(rb"\\u0000|at\+jwt|application/|[0-9]{19}", text) is not None


def check_damaged(report, program, world):
    ways = {"text": damaged_text, "signed text": damaged_signed_text, "claims": damaged_claims, "header": damaged_header}
    token = world.claims_token()
    places = [place for place in ways for _ in range(DAMAGED // len(ways))]
    cases = [("all", world.ec.path, ways[place](world, token)) for place in places]
    rows = {(row.place, row.ours) for row in BAD if row.libjwt == YES}
    rows |= {("signed text", ours) for place, ours in rows if place in ("header", "claims")}  # its octets say something else
    ours, theirs, accepted = [], [], 0
    for place, case, answer in zip(places, cases, verdicts(program, cases)):
        accepted += answer.whole == "GW_OK"
        if answer.whole == "GW_OK" and answer.libjwt == NO and not explained(case[2]):
            theirs.append(f"{place}: {case[2]}")
        if answer.whole != "GW_OK" and answer.libjwt == YES and (place, answer.whole) not in rows:
            ours.append(f"{place}: {answer.whole}: {case[2]}")
    report.say("libjwt accepts damaged tokens in no way that is not listed", ours)
    report.say("damaged tokens that we accept libjwt accepts, but for what is listed", theirs)
    if not accepted < DAMAGED // 2:
        report.say("damage does harm", [f"{accepted} of {DAMAGED} accepted"])


def main():
    random.seed(5)
    report = Report()
    with Folder() as folder:
        world = World(folder)
        check_rows(report, sys.argv[1], world)
        check_good(report, sys.argv[1], world)
        check_random(report, sys.argv[1], world)
        check_damaged(report, sys.argv[1], world)
    report.end()


main()
