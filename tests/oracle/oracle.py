# SPDX-License-Identifier: BSD-3-Clause
"""What the oracles share: keys in files, compact serialisations, and our verdicts on them."""
import base64
import json
import os
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

NOW = 1795168000
CLAIMS = {"iss": "https://waf.example.com", "aud": "sip:ep1.home1.net", "sub": "anon-7f3c", "impi": "a@ims.home1.net",
          "impu": "sip:a@home1.net", "iat": NOW - 1000, "exp": NOW + 2600}


def encode(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode_strict(text):
    """RFC 7515 2: None when text is not the one base64url of any octets."""
    try:
        octets = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None
    return octets if encode(octets) == text else None


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Key:
    """A private key of one algorithm of ours, its public half in files for the program."""

    def __init__(self, folder, name, alg, private):
        self.alg, self.private, self.public = alg, private, private.public_key()
        self.path = os.path.join(folder, name)
        self.write(self.jwk())

    def write(self, jwk):
        with open(self.path + ".jwks", "w", encoding="ascii") as file:
            json.dump({"keys": [jwk]}, file)
        if self.alg in ("ES256", "RS256"):  # libjwt's
            with open(self.path + ".pem", "wb") as file:
                file.write(self.pem())

    def pem(self):
        return self.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def jwk(self):
        if self.alg == "EdDSA":
            raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "alg": self.alg, "x": encode(raw)}
        numbers = self.public.public_numbers()
        if self.alg in ("RS256", "PS256"):
            return {"kty": "RSA", "alg": self.alg, "n": encode(octets_of(numbers.n, self.size())),
                    "e": encode(octets_of(numbers.e, 3))}
        return {"kty": "EC", "crv": {"ES256": "P-256", "ES384": "P-384"}[self.alg], "alg": self.alg,
                "x": encode(octets_of(numbers.x, self.size())), "y": encode(octets_of(numbers.y, self.size()))}

    def size(self):
        """Octets of a modulus or of a coordinate."""
        return (self.public.key_size + 7) // 8

    def hash(self):
        return hashes.SHA384() if self.alg == "ES384" else hashes.SHA256()

    def sign(self, text, digest=None, pad=None):
        """digest and pad: other ones than the algorithm's."""
        digest = digest or self.hash()
        if self.alg == "EdDSA":
            return self.private.sign(text)
        if self.alg in ("ES256", "ES384"):
            r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(digest)))
            return octets_of(r, self.size()) + octets_of(s, self.size())
        return self.private.sign(text, pad or self.pad(), digest)

    def pad(self):
        return padding.PKCS1v15() if self.alg == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)

    def verifies(self, signature, text):
        """The verdict of python3-cryptography."""
        try:
            if self.alg == "EdDSA":
                self.public.verify(signature, text)
            elif self.alg in ("ES256", "ES384"):
                half = self.size()
                if len(signature) != 2 * half:
                    return False
                pair = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
                self.public.verify(encode_dss_signature(*pair), text, ec.ECDSA(self.hash()))
            else:
                self.public.verify(signature, text, self.pad(), self.hash())
        except Exception as refusal:  # InvalidSignature, or ValueError for what is none
            if type(refusal).__name__ not in ("InvalidSignature", "ValueError"):
                raise
            return False
        return True

    def token(self, header, payload):
        text = encode(header) + "." + encode(payload)
        return text + "." + encode(self.sign(text.encode()))


def octets_of(number, size):
    return number.to_bytes(size, "big")


def rsa_make(bits):
    """A key whose modulus has so many bits, also an odd number, which no generator makes."""
    if bits % 2 == 0:
        return rsa.generate_private_key(65537, bits)
    p = rsa.generate_private_key(65537, bits + 1).private_numbers().p
    q = rsa.generate_private_key(65537, bits - 1).private_numbers().q
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public).private_key()


def key_make(folder, name, alg, bits=2048):
    if alg == "EdDSA":
        private = ed25519.Ed25519PrivateKey.generate()
    elif alg in ("RS256", "PS256"):
        private = rsa_make(bits)
    else:
        private = ec.generate_private_key(ec.SECP256R1() if alg == "ES256" else ec.SECP384R1())
    return Key(folder, name, alg, private)


class Folder:
    """A folder for keys that goes away."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="wicgate-oracle-")
        return self.folder.name

    def __exit__(self, *_):
        self.folder.cleanup()


class Verdict:
    def __init__(self, line):
        self.jws, self.whole, self.libjwt = line.split(" ")


def verdicts(program, cases):
    """Of cases (algorithm that the issuer allows, key's path, token), in their order."""
    lines = "".join(f"{alg} {path} {token}\n" for alg, path, token in cases)
    run = subprocess.run([program, str(NOW)], input=lines.encode("latin-1"), stdout=subprocess.PIPE, check=True)
    answers = [Verdict(line) for line in run.stdout.decode().splitlines()]
    if len(answers) != len(cases):
        sys.exit(f"{len(answers)} verdicts for {len(cases)} tokens")
    return answers


class Report:
    """One line for each sentence; exit code 1 when one failed."""

    def __init__(self):
        self.failed = False

    def say(self, sentence, wrong):
        """wrong: texts that say what did not hold."""
        print(("FAIL " if wrong else "ok ") + sentence)
        for text in wrong[:10]:
            print("  " + text)
        self.failed |= bool(wrong)

    def end(self):
        sys.exit(1 if self.failed else 0)
