# SPDX-License-Identifier: BSD-3-Clause
"""Where libjwt and we differ: BAD, tokens that we refuse, and GOOD, tokens that libjwt refuses."""
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from oracle import CLAIMS, NOW, Key, compact, encode, key_make
from scribble import Raw, scribble

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


class World:
    """Keys, and the ways to a token."""

    def __init__(self, folder):
        self.keys = {"ec": key_make(folder, "ec", "ES256"), "ec-other": key_make(folder, "ec-other", "ES256")}
        for bits in (2048, 3072, 4096):
            self.keys[f"rsa-{bits}"] = key_make(folder, f"rsa-{bits}", "RS256", bits)
        for name, bits, exponent in (("rsa-1024", 1024, 65537), ("rsa-e3", 2048, 3)):
            self.keys[name] = Key(folder, name, "RS256", rsa.generate_private_key(exponent, bits))
        self.ec, self.rsa = self.keys["ec"], self.keys["rsa-2048"]

    def header(self, **changes):
        """A good header with other members; Raw, or bytes, as they are."""
        return {"typ": "JWT", "alg": "ES256", **changes}

    def signed(self, header, payload, key=None):
        octets = [part if isinstance(part, bytes) else scribble(part, plain=True) for part in (header, payload)]
        return (key or self.ec).token(*octets)

    def header_token(self, **changes):
        return self.signed(self.header(**changes), CLAIMS)

    def claims_token(self, without=None, **changes):
        return self.signed(self.header(), {name: value for name, value in {**CLAIMS, **changes}.items() if name != without})

    def parts(self):
        return self.claims_token().split(".")

    def parts_token(self, header, payload, key=None, digest=None, pad=None):
        """Signs two texts that are base64url, or not."""
        text = header + "." + payload
        return text + "." + encode((key or self.ec).sign(text.encode(), digest, pad))

    def hashed(self, alg, key, digest):
        return self.parts_token(encode(compact({"alg": alg})), encode(compact(CLAIMS)), key, digest)

    def hmac(self):
        text = encode(compact({"typ": "JWT", "alg": "HS256"})) + "." + encode(compact(CLAIMS))
        return text + "." + encode(hmac.new(self.ec.pem(), text.encode(), hashlib.sha256).digest())


def unused(text):
    """The same octets to who does not look at the bits that none takes; text has some."""
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1]


def padded_claims(unused_bits):
    """Claims as base64url of which so many bits, 0, 2 or 4, are no octet's."""
    spaces = next(count for count in range(3) if (len(compact(CLAIMS)) + count) * 8 % 6 == (6 - unused_bits) % 6)
    return encode(compact(CLAIMS) + b" " * spaces)


def standard(world):
    """The alphabet of base64, not base64url, in a payload whose text shows the difference."""
    text = encode(compact({**CLAIMS, "x": "~~~???>>>~~???>>>?"}))
    assert "-" in text or "_" in text
    return world.parts_token(world.parts()[0], text.replace("-", "+").replace("_", "/"))


def standard_signature(world):
    while True:
        token = world.claims_token()
        head, signature = token.rsplit(".", 1)
        if "-" in signature or "_" in signature:
            return head + "." + signature.replace("-", "+").replace("_", "/")


def with_claims(extra):
    return compact(CLAIMS)[:-1] + extra + b"}"


class Row:
    """A bad token: which part is bad, what we say, whether libjwt accepts it, and why we do not."""

    def __init__(self, place, ours, libjwt, rule, make, key="ec"):
        self.place, self.ours, self.libjwt, self.rule, self.make, self.key = place, ours, libjwt, rule, make, key


YES, NO = "yes", "no"
BAD = [
    # claims that libjwt does not look at
    Row("claims", "GW_TOKEN_EXPIRED", YES, "exp is mandatory", lambda w: w.claims_token("exp")),
    Row("claims", "GW_TOKEN_EXPIRED", YES, "exp has passed", lambda w: w.claims_token(exp=NOW - 31)),
    Row("claims", "GW_TOKEN_EXPIRED", YES, "exp is a number", lambda w: w.claims_token(exp=str(NOW + 100))),
    Row("claims", "GW_TOKEN_EXPIRED", YES, "exp is not negative", lambda w: w.claims_token(exp=-1)),
    Row("claims", "GW_TOKEN_AUD", YES, "aud is mandatory", lambda w: w.claims_token("aud")),
    Row("claims", "GW_TOKEN_AUD", YES, "aud is us", lambda w: w.claims_token(aud="sip:other.home1.net")),
    Row("claims", "GW_TOKEN_AUD", YES, "aud has strings only", lambda w: w.claims_token(aud=[CLAIMS["aud"], 5])),
    Row("claims", "GW_TOKEN_ISS", YES, "iss is mandatory", lambda w: w.claims_token("iss")),
    Row("claims", "GW_TOKEN_ISS", YES, "iss is the issuer of the key", lambda w: w.claims_token(iss="https://evil.example")),
    Row("claims", "GW_TOKEN_CLAIM", YES, "iat is mandatory", lambda w: w.claims_token("iat")),
    Row("claims", "GW_TOKEN_CLAIM", YES, "iat is a number", lambda w: w.claims_token(iat="1")),
    Row("claims", "GW_TOKEN_CLAIM", YES, "sub is mandatory", lambda w: w.claims_token("sub")),
    Row("claims", "GW_TOKEN_CLAIM", YES, "impu is mandatory", lambda w: w.claims_token("impu")),
    Row("claims", "GW_TOKEN_CLAIM", YES, "jti has at most 128 octets", lambda w: w.claims_token(jti="j" * 129)),
    Row("claims", "GW_TOKEN_WWSF", YES, "wwsf is the Origin's", lambda w: w.claims_token(wwsf="other")),
    Row("claims", "GW_TOKEN_SCENARIO", YES, "scn is the web site's mode", lambda w: w.claims_token(scn="wildcard")),
    Row("claims", "GW_TOKEN_TIME", YES, "iat is not in the future", lambda w: w.claims_token(iat=NOW + 31)),
    Row("claims", "GW_TOKEN_TIME", YES, "nbf is not in the future", lambda w: w.claims_token(nbf=NOW + 31)),
    Row("claims", "GW_TOKEN_TIME", YES, "a token has a longest life", lambda w: w.claims_token(exp=NOW + 100000)),
    # claims that are not strict JSON
    Row("claims", "GW_TOKEN_JSON", YES, "a name twice", lambda w: w.signed(w.header(), with_claims(b',"sub":"x"'))),
    Row("claims", "GW_TOKEN_JSON", YES, "a name twice, once escaped",
        lambda w: w.signed(w.header(), with_claims(b',"\\u0073ub":"x"'))),
    Row("claims", "GW_TOKEN_JSON", YES, "a name twice inside",
        lambda w: w.signed(w.header(), with_claims(b',"x":{"a":1,"a":2}'))),
    Row("claims", "GW_TOKEN_JSON", YES, "deeper than 8", lambda w: w.claims_token(x=[[[[[[[[1]]]]]]]])),
    Row("claims", "GW_TOKEN_JSON", YES, "more than 128 names", lambda w: w.claims_token(**{f"n{i}": 1 for i in range(128)})),
    Row("claims", "GW_TOKEN_JSON", YES, "an octet 0 behind the text", lambda w: w.signed(w.header(), compact(CLAIMS) + b"\0")),
    Row("claims", "GW_TOKEN_JSON", YES, "another text behind an octet 0",
        lambda w: w.signed(w.header(), compact(CLAIMS) + b'\0{"x":1}')),
    Row("claims", "GW_TOKEN_JSON", YES, "no object", lambda w: w.signed(w.header(), b"[1]")),
    Row("claims", "GW_TOKEN_JSON", NO, "no text at all", lambda w: w.signed(w.header(), b"")),
    Row("claims", "GW_TOKEN_JSON", NO, "a text behind it", lambda w: w.signed(w.header(), compact(CLAIMS) + b"{}")),
    Row("claims", "GW_TOKEN_JSON", NO, "a number beyond 10^308", lambda w: w.claims_token(x=Raw("1e400"))),
    Row("claims", "GW_TOKEN_JSON", NO, "a number with a leading zero", lambda w: w.claims_token(x=Raw("01"))),
    Row("claims", "GW_TOKEN_JSON", NO, "half a surrogate pair", lambda w: w.claims_token(x=Raw('"\\ud800"'))),
    Row("claims", "GW_TOKEN_JSON", NO, "not UTF-8", lambda w: w.signed(w.header(), with_claims(b',"x":"\xff"'))),
    Row("claims", "GW_TOKEN_JSON", NO, "a byte order mark", lambda w: w.signed(w.header(), b"\xef\xbb\xbf" + compact(CLAIMS))),
    # headers
    Row("header", "GW_TOKEN_CRIT", YES, "crit: an extension that is not ours", lambda w: w.header_token(crit=["x"], x=1)),
    Row("header", "GW_TOKEN_CRIT", YES, "crit is there, though empty", lambda w: w.header_token(crit=[])),
    Row("header", "GW_TOKEN_CRIT", YES, "b64 is not ours", lambda w: w.header_token(crit=["b64"], b64=False)),
    Row("header", "GW_TOKEN_KID", YES, "kid names no key of the issuer", lambda w: w.header_token(kid="other")),
    Row("header", "GW_TOKEN_KID", YES, "kid has at most 256 octets", lambda w: w.header_token(kid="k" * 257)),
    Row("header", "GW_TOKEN_JSON", YES, "kid is a string", lambda w: w.header_token(kid=5)),
    Row("header", "GW_TOKEN_JSON", YES, "typ is a string", lambda w: w.header_token(typ=5)),
    Row("header", "GW_TOKEN_JSON", YES, "a name twice", lambda w: w.signed(b'{"alg":"none","alg":"ES256"}', CLAIMS)),
    Row("header", "GW_TOKEN_JSON", YES, "deeper than 8", lambda w: w.header_token(x=[[[[[[[[1]]]]]]]])),
    Row("header", "GW_TOKEN_JSON", YES, "an octet 0 behind the text", lambda w: w.signed(compact(w.header()) + b"\0", CLAIMS)),
    Row("header", "GW_TOKEN_MALFORMED", YES, "a header has at most 1024 octets", lambda w: w.header_token(x="k" * 1024)),
    Row("header", "GW_TOKEN_ALG", YES, "alg compares byte for byte", lambda w: w.header_token(alg="es256")),
    Row("header", "GW_TOKEN_ALG", YES, "the key in PEM is no HMAC secret", lambda w: w.hmac()),
    Row("header", "GW_TOKEN_ALG", YES, "ES384 is of P-384", lambda w: w.hashed("ES384", w.ec, hashes.SHA384())),
    Row("header", "GW_TOKEN_ALG", YES, "ES512 is of P-521", lambda w: w.hashed("ES512", w.ec, hashes.SHA512())),
    Row("header", "GW_TOKEN_ALG", YES, "a key is for one algorithm",
        lambda w: w.hashed("RS384", w.rsa, hashes.SHA384()), "rsa-2048"),
    Row("header", "GW_TOKEN_ALG", YES, "a key is for one algorithm",
        lambda w: w.hashed("RS512", w.rsa, hashes.SHA512()), "rsa-2048"),
    Row("header", "GW_TOKEN_ALG", NO, "alg is mandatory", lambda w: w.signed({"typ": "JWT"}, CLAIMS)),
    Row("header", "GW_TOKEN_ALG", NO, "alg is the key's", lambda w: w.header_token(alg="RS256")),
    Row("header", "GW_TOKEN_ALG", NO, "alg none",
        lambda w: encode(compact({"alg": "none"})) + "." + encode(compact(CLAIMS)) + ".AA"),
    Row("header", "GW_TOKEN_ALG", NO, "alg none, unsigned",
        lambda w: encode(compact({"alg": "none"})) + "." + encode(compact(CLAIMS)) + "."),
    Row("header", "GW_TOKEN_TYP", NO, "typ is one of the issuer's", lambda w: w.header_token(typ="logout+jwt")),
    # texts
    Row("text", "GW_TOKEN_MALFORMED", YES, "three parts", lambda w: w.claims_token() + "."),
    Row("text", "GW_TOKEN_MALFORMED", YES, "no padding", lambda w: w.claims_token() + "=="),
    Row("text", "GW_TOKEN_MALFORMED", YES, "no white space", lambda w: w.claims_token() + " "),
    Row("text", "GW_TOKEN_MALFORMED", YES, "no other characters", lambda w: w.claims_token() + "*"),
    Row("text", "GW_TOKEN_MALFORMED", YES, "unused bits are zero", lambda w: unused(w.claims_token())),
    Row("text", "GW_TOKEN_MALFORMED", YES, "the alphabet of base64url", standard_signature),
    Row("text", "GW_TOKEN_MALFORMED", YES, "a token has at most 8192 octets", lambda w: w.claims_token(x="y" * 6144)),
    Row("text", "GW_TOKEN_MALFORMED", NO, "three parts", lambda w: w.claims_token() + ".x"),
    Row("text", "GW_TOKEN_SIGNATURE", NO, "a signature", lambda w: w.claims_token().rsplit(".", 1)[0] + "."),
    Row("text", "GW_TOKEN_MALFORMED", NO, "a length that octets have", lambda w: w.claims_token() + "AAA"),
    Row("text", "GW_TOKEN_SIGNATURE", NO, "64 octets", lambda w: w.claims_token() + "AAAA"),
    Row("text", "GW_TOKEN_SIGNATURE", NO, "by the issuer's key", lambda w: w.signed(w.header(), CLAIMS, w.keys["ec-other"])),
    Row("text", "GW_TOKEN_SIGNATURE", NO, "PKCS #1 padding",
        lambda w: w.parts_token(encode(compact({"alg": "RS256"})), encode(compact(CLAIMS)), w.rsa, None, PSS), "rsa-2048"),
    # texts that are signed as they are
    Row("signed text", "GW_TOKEN_MALFORMED", YES, "no padding", lambda w: w.parts_token(w.parts()[0], padded_claims(2) + "=")),
    Row("signed text", "GW_TOKEN_MALFORMED", YES, "no padding in the header",
        lambda w: w.parts_token(w.parts()[0] + "=", w.parts()[1])),
    Row("signed text", "GW_TOKEN_MALFORMED", YES, "no white space", lambda w: w.parts_token(w.parts()[0], w.parts()[1] + " ")),
    Row("signed text", "GW_TOKEN_MALFORMED", YES, "no other characters",
        lambda w: w.parts_token(w.parts()[0], w.parts()[1][:8] + "*" + w.parts()[1][8:])),
    Row("signed text", "GW_TOKEN_MALFORMED", YES, "unused bits are zero",
        lambda w: w.parts_token(w.parts()[0], unused(padded_claims(4)))),
    Row("signed text", "GW_TOKEN_MALFORMED", YES, "a length that octets have",
        lambda w: w.parts_token(w.parts()[0], padded_claims(0) + "A")),
    Row("signed text", "GW_TOKEN_MALFORMED", YES, "the alphabet of base64url", standard),
    Row("signed text", "GW_TOKEN_JSON", YES, "all octets are the text's",
        lambda w: w.parts_token(w.parts()[0], padded_claims(0) + "AA")),
    Row("signed text", "GW_TOKEN_JSON", NO, "a header", lambda w: w.parts_token("", w.parts()[1])),
    # keys that are left out
    Row("key", "GW_TOKEN_KEYS_DOWN", YES, "an RSA modulus has at least 2048 bits",
        lambda w: w.signed({"alg": "RS256"}, CLAIMS, w.keys["rsa-1024"]), "rsa-1024"),
    Row("key", "GW_TOKEN_KEYS_DOWN", YES, "an RSA exponent is at least 65537",
        lambda w: w.signed({"alg": "RS256"}, CLAIMS, w.keys["rsa-e3"]), "rsa-e3"),
]

# what we accept and libjwt refuses
GOOD = [
    ("typ at+jwt (RFC 9068)", lambda w: w.header_token(typ="at+jwt")),
    ("typ application/at+jwt", lambda w: w.header_token(typ="application/at+jwt")),
    ("typ application/jwt", lambda w: w.header_token(typ="application/jwt")),
    ("U+0000 in a string", lambda w: w.claims_token(x="\0")),
    ("U+0000 in a name", lambda w: w.claims_token(**{"\0": 1})),
    ("an integer of more than 64 bits", lambda w: w.claims_token(x=2**64)),
]
