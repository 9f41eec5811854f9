#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""signatures.py TOKEN_VERDICT: python3-cryptography says which tokens are signed, and we have to agree.

Each algorithm's tokens are taken as they are and changed in every way that is listed; what the JWS layer accepts has to be
what strict base64url, strict JSON and python3-cryptography accept.
"""
import json
import os
import random
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oracle import CLAIMS, Folder, Report, compact, decode_strict, encode, key_make, octets_of, verdicts

TOKENS = 10  # of each algorithm, each changed in every way
FLIPS, CUTS, STRAYS = 36, 12, 12
ORDER = {"ES256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
         "ES384": 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973}
ED_PRIME = 2**255 - 19
ED_ORDER = 2**252 + 27742317777372353535851937790883648493
# y of the points whose order divides 8, their sign left out
ED_ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826
ED_LOW_ORDER_Y = [0, 1, ED_PRIME - 1, ED_ORDER_8_Y, ED_PRIME - ED_ORDER_8_Y]


class Case:
    def __init__(self, kind, key, token, base=None):
        self.kind, self.key, self.token, self.base = kind, key, token, base


def names_once(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def no_constant(name):
    raise ValueError(name)  # NaN and Infinity are Python's


def header_good(octets, alg):
    try:
        header = json.loads(octets.decode("utf-8"), object_pairs_hook=names_once, parse_constant=no_constant)
    except ValueError:
        return False
    return (isinstance(header, dict) and header.get("alg") == alg and "crit" not in header and "kid" not in header
            and isinstance(header.get("typ", ""), str))


def expected(case):
    """The oracle's verdict."""
    parts = case.token.split(".")
    octets = [decode_strict(part) for part in parts]
    if len(parts) != 3 or None in octets or not header_good(octets[0], case.key.alg):
        return False
    if case.key.alg == "PS256" and len(octets[2]) != case.key.size():
        return False  # RFC 8017 8.1.2 step 1; OpenSSL takes one without its leading zero octets, see check_leading_zero()
    return case.key.verifies(octets[2], (parts[0] + "." + parts[1]).encode("latin-1"))


def mint(key):
    return key.token(compact({"alg": key.alg, "typ": "at+jwt"}), compact({**CLAIMS, "jti": encode(random.randbytes(12))}))


def with_signature(token, signature):
    return token[:token.rindex(".") + 1] + encode(signature)


def signature_of(token):
    return decode_strict(token.split(".")[2])


def text_of(token):
    return token[:token.rindex(".")].encode()


def changed_text(token):
    """Changes that know nothing of the algorithm."""
    for _ in range(FLIPS):
        at = random.randrange(len(token))
        flipped = chr(ord(token[at]) ^ 1 << random.randrange(8))
        if flipped not in "\n\0":
            yield "bit flipped in the text", token[:at] + flipped + token[at + 1:]
    for number in range(3):
        parts = token.split(".")
        octets = bytearray(decode_strict(parts[number]))
        for _ in range(FLIPS // 3):
            at = random.randrange(len(octets))
            octets[at] ^= 1 << random.randrange(8)
            parts[number] = encode(octets)
            yield "bit flipped in an octet", ".".join(parts)
    for _ in range(CUTS):
        yield "cut", token[:random.randrange(len(token))]
    for _ in range(STRAYS):
        at = random.randrange(len(token) + 1)
        yield "stray character", token[:at] + random.choice("=. \t+/~%A-_") + token[at:]
    yield "another token behind it", token + "." + token
    yield "empty signature", token[:token.rindex(".") + 1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for number in range(3):
        parts = token.split(".")
        if len(parts[number]) % 4:
            parts[number] = parts[number][:-1] + alphabet[alphabet.index(parts[number][-1]) | 1]
            yield "unused bits", ".".join(parts)


def changed_header(key, token):
    """Signed, but the header is not one of this algorithm."""
    claims = compact({**CLAIMS, "jti": "h"})
    for alg in ("none", "", "HS256", "ES256", "ES384", "ES512", "RS256", "PS256", "PS384", "EdDSA", "Ed25519", key.alg.lower()):
        if alg != key.alg:
            yield f"alg {alg}", key.token(compact({"alg": alg}), claims)
    for header in ({}, {"alg": key.alg, "crit": []}, {"alg": key.alg, "crit": ["b64"], "b64": True},
                   {"alg": key.alg, "kid": "other"}, {"alg": [key.alg]}, {"alg": None}, [key.alg]):
        yield "header", key.token(compact(header), claims)
    for raw in ('{"alg":"%s","alg":"%s"}', '{"alg":"none","\\u0061lg":"%s"}', ' {"alg":"%s"}', '{"alg":"%s"}x', '{"alg":"%s",}',
                "{'alg':'%s'}", '{"alg":"%s","x":NaN}', '\ufeff{"alg":"%s"}', '{"alg":"%s","x":01}'):
        text = raw.replace("%s", key.alg)
        yield "header", key.token(text.encode(), claims)


def changed_ecdsa(key, token):
    signature, size, order = signature_of(token), key.size(), ORDER[key.alg]
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    room = 256**size
    pairs = [(0, 0), (0, s), (r, 0), (0, 1), (1, 0), (1, 1), (order, s), (r, order), (order, order), (r, order - s),
             (order - r, s), ((r + order) % room, s), (r, (s + order) % room), (order - 1, order - 1), (order + 1, s),
             (room - 1, room - 1), (s, r), (r, s ^ 1), (r ^ 1, s)]
    for pair in pairs:
        yield "r and s", with_signature(token, octets_of(pair[0], size) + octets_of(pair[1], size))
    for text in (encode_dss_signature(r, s), signature[:-1], signature[1:], signature + b"\0", b"\0" + signature,
                 b"\0" + signature[:size] + b"\0" + signature[size:], signature[:size], signature * 2):
        yield "length", with_signature(token, text)
    for digest in (hashes.SHA1(), hashes.SHA224(), hashes.SHA512(), hashes.SHA384(), hashes.SHA256()):
        if digest.name != key.hash().name:
            yield f"hash {digest.name}", with_signature(token, key.sign(text_of(token), digest))


def changed_rsa(key, token):
    signature, size, modulus = signature_of(token), key.size(), key.public.public_numbers().n
    number = int.from_bytes(signature, "big")
    for value in (0, 1, modulus - 1, modulus, modulus - number, number ^ 1, 256**size - 1, (number + modulus) % 256**size):
        yield "number", with_signature(token, octets_of(value, size))
    for text in (signature[:-1], signature[1:], signature + b"\0", b"\0" + signature, signature * 2):
        yield "length", with_signature(token, text)
    mgf = padding.MGF1
    pads = [(padding.PKCS1v15(), hashes.SHA256()), (padding.PKCS1v15(), hashes.SHA384()), (padding.PKCS1v15(), hashes.SHA1())]
    for salt in (0, 1, 20, 31, 32, 33, 48, 64, padding.PSS.MAX_LENGTH):
        pads.append((padding.PSS(mgf(hashes.SHA256()), salt), hashes.SHA256()))
    pads += [(padding.PSS(mgf(hashes.SHA1()), 32), hashes.SHA256()), (padding.PSS(mgf(hashes.SHA384()), 32), hashes.SHA256()),
             (padding.PSS(mgf(hashes.SHA256()), 32), hashes.SHA384()), (padding.PSS(mgf(hashes.SHA384()), 48), hashes.SHA384())]
    for pad, digest in pads:
        yield "padding", with_signature(token, key.sign(text_of(token), digest, pad))


def ed_octets(y, sign):
    return octets_of(y | sign << 255, 32)[::-1]


def ed_low_order():
    """Encodings of points of low order, also those that are not canonical (y + p still has 255 bits)."""
    for y in ED_LOW_ORDER_Y:
        for value in {y, (y + ED_PRIME) if y + ED_PRIME < 2**255 else y}:
            for sign in (0, 1):
                yield ed_octets(value, sign)


def changed_eddsa(key, token):
    signature = signature_of(token)
    point, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    for value in (0, 1, ED_ORDER, ED_ORDER - scalar, scalar + ED_ORDER, scalar + 2 * ED_ORDER, scalar + 8 * ED_ORDER, 2**256 - 1,
                  scalar | 2**255, scalar | 2**253):
        yield "S", with_signature(token, point + octets_of(value % 2**256, 32)[::-1])
    for low in ed_low_order():
        for value in (0, 1, scalar, ED_ORDER):
            yield "R of low order", with_signature(token, low + octets_of(value, 32)[::-1])
    for text in (signature[:-1], signature[1:], signature + b"\0", b"\0" + signature, signature[::-1],
                 signature[32:] + signature[:32], point, signature * 2, bytes(64)):
        yield "length", with_signature(token, text)
    yield "sign of R", with_signature(token, point[:31] + bytes([point[31] ^ 0x80]) + signature[32:])


CHANGES = {"ES256": changed_ecdsa, "ES384": changed_ecdsa, "RS256": changed_rsa, "PS256": changed_rsa, "EdDSA": changed_eddsa}


# algorithm and bits of a key; with 2049 bits a PSS block is an octet shorter than the modulus (RFC 8017 9.1.1)
KEYS = [("ES256", 256), ("ES384", 384), ("RS256", 2048), ("RS256", 2049), ("PS256", 2048), ("PS256", 2049), ("PS256", 3072),
        ("EdDSA", 256)]


def cases_of(key, other):
    for _ in range(TOKENS):
        token = mint(key)
        yield Case("as it was made", key, token)
        for kind, text in changed_text(token):
            yield Case(kind, key, text, token)
        for kind, text in CHANGES[key.alg](key, token):
            yield Case(kind, key, text, token)
        yield Case("signed by another key", key, with_signature(token, other.sign(text_of(token))), token)
        yield Case("signature of another token", key, with_signature(token, signature_of(mint(key))), token)
    for kind, text in changed_header(key, token):
        yield Case(kind, key, text)


def check(report, program, alg, bits, cases):
    answers = verdicts(program, [(alg, case.key.path, case.token) for case in cases])
    wrong, good = [], 0
    for case, answer in zip(cases, answers):
        good += answer.jws == "GW_OK"
        if (answer.jws == "GW_OK") != expected(case):
            wrong.append(f"{case.kind}: {answer.jws}: {case.token}")
        elif (answer.whole == "GW_OK") != (answer.jws == "GW_OK"):
            wrong.append(f"{case.kind}: pipeline says {answer.whole}: {case.token}")
    report.say(f"{alg} signatures of {bits} bits are good to us where they are to python3-cryptography", wrong)
    if not TOKENS <= good <= len(cases) // 2:
        report.say(f"{alg} tokens of {bits} bits are both accepted and refused", [f"{good} of {len(cases)} accepted"])
    return len(cases)


def check_leading_zero(report, program, folder):
    key = key_make(folder, "zero", "PS256", 2049)
    assert key.public.key_size == 2049
    token = mint(key)
    while signature_of(token)[0] != 0:
        token = mint(key)
    short = signature_of(token)[1:]
    whole, cut = verdicts(program, [("PS256", key.path, text) for text in (token, with_signature(token, short))])
    report.say("PS256 signatures without their leading zero octet are refused, though OpenSSL accepts them",
               [] if (whole.jws, cut.jws) == ("GW_OK", "GW_TOKEN_SIGNATURE") else [f"{whole.jws}, {cut.jws}"])


def check_low_order(report, program, folder):
    """With a public key of low order anybody can sign: R is that point's encoding or the neutral one, S is 0."""
    key, cases = key_make(folder, "low", "EdDSA"), []
    for number, octets in enumerate(ed_low_order()):
        path = os.path.join(folder, f"low-{number}")
        with open(path + ".jwks", "w", encoding="ascii") as file:
            json.dump({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": encode(octets)}]}, file)
        for count in range(32):
            token = key.token(compact({"alg": "EdDSA"}), compact({**CLAIMS, "jti": str(count)}))
            for point in (octets, ed_octets(1, 0)):
                cases.append(("EdDSA", path, with_signature(token, point + bytes(32))))
    wrong = [f"{case[1]}: {case[2]}" for case, answer in zip(cases, verdicts(program, cases)) if answer.jws == "GW_OK"]
    report.say("EdDSA keys of low order verify nothing", wrong)


def main():
    random.seed(5)
    report, total = Report(), 0
    with Folder() as folder:
        check_leading_zero(report, sys.argv[1], folder)
        check_low_order(report, sys.argv[1], folder)
        for alg, bits in KEYS:
            key, other = [key_make(folder, f"{alg}-{bits}-{name}", alg, bits) for name in ("key", "other")]
            total += check(report, sys.argv[1], alg, bits, list(cases_of(key, other)))
    report.say(f"{total} tokens were compared, 5,000 at least", [] if total >= 5000 else [str(total)])
    report.end()


main()
