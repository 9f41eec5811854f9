#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs wicgate-wwsf on loopback and talks HTTPS to it; python3-cryptography checks what it signs.

Usage: site_test.py PATH-OF-wicgate-wwsf
"""
import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

PROGRAM = sys.argv.pop(1)
ISSUED_BY = ["--kid", "waf-1", "--issuer", "https://waf.shop.example", "--audience", "sip:ep1.home1.net"]
PAIRS = "a@ims.home1.net,sip:alice@home1.net\n,sip:guest@home1.net\nt@ims.home1.net,tel:+18005550100\n"


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=10)


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_key(jwks):
    (jwk,) = json.loads(jwks)["keys"]
    x, y = (int.from_bytes(unbase64(jwk[name]), "big") for name in "xy")
    return jwk, ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def verified(token, jwks):
    """Header and claims of a token whose signature the JWKS confirms."""
    head, body, signature = token.split(".")
    r, s = unbase64(signature)[:32], unbase64(signature)[32:]
    assert len(s) == 32
    der = utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    public_key(jwks)[1].verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(unbase64(head)), json.loads(unbase64(body))


class Files:
    """A site, its certificate and its signing key, below a temporary folder."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="wwsf-site.")
        self.make_key("tls.pem")
        self.make_key("sign.pem")
        subprocess.run(["openssl", "req", "-x509", "-key", self.at("tls.pem"), "-out", self.at("cert.pem"),
                        "-days", "2", "-subj", "/CN=shop.example", "-addext",
                        "subjectAltName=IP:127.0.0.1,IP:::1"], check=True, capture_output=True)
        os.makedirs(self.at("site/lib"))
        self.write("secret.txt", "secret")
        self.write("site/index.html", "<!doctype html><title>WIC</title>")
        self.write("site/lib/app.js", "'use strict';\n" * 20000)
        self.write("site/.hidden", "hidden")
        self.write("pairs.csv", PAIRS)
        os.symlink("../secret.txt", self.at("site/link.html"))
        os.symlink("..", self.at("site/up"))

    def make_key(self, name):
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-out", self.at(name)], check=True, capture_output=True)

    def at(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.at(name), "w", encoding="utf-8") as out:
            out.write(text)

    def words(self, listen, **other):
        named = {"certificate": "cert.pem", "key": "tls.pem", "root": "site", "signing-key": "sign.pem",
                 "pairs": "pairs.csv", **other}
        words = ["--listen", listen, "--lifetime", "600", "--wwsf", "shop", *ISSUED_BY]
        for name, file in named.items():
            words += ["--" + name, self.at(file)]
        return words


class Site:
    """A running wicgate-wwsf."""

    def __init__(self, files, listen, **other):
        self.process = subprocess.Popen([PROGRAM, *files.words(listen, **other)], stderr=subprocess.PIPE,
                                        text=True)
        ready = self.process.stderr.readline()
        assert ready.startswith("event=ready listen="), ready
        self.host, port = ready.strip().removeprefix("event=ready listen=").rsplit(":", 1)
        self.host, self.port = self.host.strip("[]"), int(port)
        self.tls = ssl.create_default_context(cafile=files.at("cert.pem"))

    def connect(self):
        return http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=10)

    def ask(self, path, method="GET", body=None):
        connection = self.connect()
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        rest = self.process.communicate(timeout=10)[1]
        return self.process.returncode, rest


class Commands(unittest.TestCase):
    def test_version_and_help_end_with_0(self):
        self.assertRegex(run("--version").stdout, r"^wicgate-wwsf \d+\.\d+")
        self.assertIn("--signing-key", run("--help").stdout)
        self.assertEqual([run("--version").returncode, run("--help").returncode], [0, 0])

    def test_a_wrong_command_line_ends_with_2(self):
        for words in ([], ["--nonsense"], ["nonsense"], ["jwks"], ["token", "--kid", "k"]):
            answer = run(*words)
            self.assertEqual((answer.returncode, answer.stdout), (2, ""))
            self.assertTrue(answer.stderr.startswith("wicgate-wwsf: "))

    def test_a_file_that_is_not_usable_ends_with_1_and_is_named(self):
        FILES.write("bad.csv", "a@x,sip:a@x\nb@x\n")
        FILES.write("bad.pem", "no key\n")
        for name, file, why in (("certificate", "none.pem", "none.pem: No such file"),
                                ("key", "sign.pem", "sign.pem"), ("key", "bad.pem", "bad.pem"),
                                ("root", "cert.pem", "cert.pem: Not a directory"),
                                ("signing-key", "bad.pem", "bad.pem: no unencrypted"),
                                ("pairs", "bad.csv", "bad.csv:2: not two fields")):
            with self.subTest(name=name, file=file):
                answer = run(*FILES.words("127.0.0.1:0", **{name: file}))
                self.assertEqual(answer.returncode, 1)
                self.assertIn(why, answer.stderr)

    def test_an_address_in_use_ends_with_1(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            answer = run(*FILES.words(f"127.0.0.1:{taken.getsockname()[1]}"))
        self.assertEqual(answer.returncode, 1)
        self.assertIn("Address already in use", answer.stderr)

    def test_the_token_command_signs_what_the_jwks_command_verifies(self):
        key = ["--signing-key", FILES.at("sign.pem")]
        token = run("token", *key, *ISSUED_BY, "--impi", "a@x", "--impu", "sip:alice@home1.net",
                    "--lifetime", "30").stdout
        self.assertTrue(token.endswith("\n"))
        jwks = run("jwks", *key, "--kid", "waf-1").stdout
        head, claims = verified(token.strip(), jwks)
        self.assertEqual(head, {"typ": "JWT", "alg": "ES256", "kid": "waf-1"})
        self.assertEqual((claims["impi"], claims["impu"], claims["sub"]),
                         ("a@x", "sip:alice@home1.net", "web-alice"))
        self.assertEqual(claims["exp"] - claims["iat"], 30)

    def test_the_token_command_takes_another_subject(self):
        key = ["--signing-key", FILES.at("sign.pem")]
        token = run("token", *key, *ISSUED_BY, "--impu", "sip:alice@home1.net", "--subject", "eve").stdout
        claims = json.loads(unbase64(token.split(".")[1]))
        self.assertEqual(claims["sub"], "eve")
        self.assertNotIn("impi", claims)


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site(FILES, "127.0.0.1:0")

    @classmethod
    def tearDownClass(cls):
        status, rest = cls.site.stop()
        assert (status, rest) == (0, "event=stopped signal=15\n"), (status, rest)

    def test_gives_the_index_for_the_root(self):
        answer = self.site.ask("/")
        self.assertEqual((answer.status, answer.text), (200, "<!doctype html><title>WIC</title>"))
        self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")

    def test_gives_a_file_in_a_folder_whole(self):
        answer = self.site.ask("/lib/app.js?v=1")
        self.assertEqual((answer.status, len(answer.text)), (200, 280000))
        self.assertEqual(answer.headers["Content-Type"], "text/javascript; charset=utf-8")

    def test_answers_head_with_the_length_and_no_body(self):
        answer = self.site.ask("/lib/app.js", "HEAD")
        self.assertEqual((answer.status, answer.headers["Content-Length"], answer.text), (200, "280000", ""))

    def test_knows_no_other_method(self):
        for method, body in (("POST", "x=1"), ("PUT", "x"), ("DELETE", None), ("OPTIONS", None)):
            with self.subTest(method=method):
                answer = self.site.ask("/token?user=alice", method, body)
                self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"))

    def test_refuses_a_body(self):
        self.assertEqual(self.site.ask("/", "GET", "GET /secret HTTP/1.1\r\n\r\n").status, 400)

    def test_does_not_find_what_is_not_there(self):
        for path in ("/none.html", "/lib", "/lib/", "/index.html/x", "/lib/none/none"):
            with self.subTest(path=path):
                self.assertEqual(self.site.ask(path).status, 404)

    def test_lets_nothing_escape_from_the_folder(self):
        for path, status in (("/../secret.txt", 400), ("/lib/../../secret.txt", 400),
                             ("/%2e%2e/secret.txt", 400), ("/..%2fsecret.txt", 400), ("//etc/passwd", 400),
                             ("/%2fetc/passwd", 400), ("/index.html%00.png", 400), ("/%zz", 400),
                             ("/.hidden", 400), ("/link.html", 404), ("/up/secret.txt", 404),
                             ("/" + "a" * 600, 400)):
            with self.subTest(path=path):
                answer = self.site.ask(path)
                self.assertEqual(answer.status, status)
                self.assertNotIn("secret", answer.text)

    def test_sends_security_headers_with_every_answer(self):
        for path in ("/", "/none", "/token?user=alice", "/jwks.json", "/.."):
            headers = self.site.ask(path).headers
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("default-src 'self'", headers["Content-Security-Policy"])
            self.assertIn("max-age=", headers["Strict-Transport-Security"])

    def test_issues_a_token_for_a_user(self):
        before = int(time.time())
        answer = self.site.ask("/token?user=alice")
        self.assertEqual((answer.status, answer.headers["Cache-Control"], answer.headers["Content-Type"]),
                         (200, "no-store", "application/json"))
        said = json.loads(answer.text)
        head, claims = verified(said["access_token"], self.site.ask("/jwks.json").text)
        self.assertEqual(head, {"typ": "JWT", "alg": "ES256", "kid": "waf-1"})
        self.assertRegex(claims.pop("jti"), "^[0-9a-f]{32}$")
        issued = claims.pop("iat")
        self.assertTrue(before <= issued <= time.time())
        self.assertEqual(claims.pop("exp"), issued + 600)
        self.assertEqual(claims, {"iss": "https://waf.shop.example", "aud": "sip:ep1.home1.net",
                                  "wwsf": "shop", "sub": "web-alice", "impi": "a@ims.home1.net",
                                  "impu": "sip:alice@home1.net"})
        del said["access_token"]
        self.assertEqual(said, {"impi": "a@ims.home1.net", "impu": "sip:alice@home1.net", "expires_in": 600})

    def test_leaves_out_an_impi_that_the_pair_has_not(self):
        said = json.loads(self.site.ask("/token?user=guest").text)
        self.assertNotIn("impi", said)
        self.assertNotIn("impi", json.loads(unbase64(said["access_token"].split(".")[1])))

    def test_takes_a_user_with_escapes(self):
        self.assertEqual(json.loads(self.site.ask("/token?user=%2b18005550100").text)["impu"],
                         "tel:+18005550100")

    def test_gives_a_shorter_token_when_asked(self):
        said = json.loads(self.site.ask("/token?user=alice&lifetime=5").text)
        claims = json.loads(unbase64(said["access_token"].split(".")[1]))
        self.assertEqual((said["expires_in"], claims["exp"] - claims["iat"]), (5, 5))

    def test_refuses_a_lifetime_out_of_range(self):
        for lifetime in ("0", "601", "-1", "x", "", "99999999999999999999"):
            with self.subTest(lifetime=lifetime):
                self.assertEqual(self.site.ask("/token?user=alice&lifetime=" + lifetime).status, 400)

    def test_answers_an_unknown_user_with_404_in_json(self):
        answer = self.site.ask("/token?user=eve")
        self.assertEqual((answer.status, json.loads(answer.text)), (404, {"error": "unknown user"}))
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_refuses_a_missing_or_malformed_user(self):
        for query in ("", "?", "?user", "?user=%", "?user=%00", "?user=" + "a" * 300):
            with self.subTest(query=query):
                self.assertEqual(self.site.ask("/token" + query).status, 400)

    def test_serves_the_jwks(self):
        answer = self.site.ask("/jwks.json")
        jwk, _ = public_key(answer.text)
        self.assertEqual({name: jwk[name] for name in ("kty", "crv", "kid", "alg", "use")},
                         {"kty": "EC", "crv": "P-256", "kid": "waf-1", "alg": "ES256", "use": "sig"})
        self.assertEqual((answer.headers["Content-Type"], answer.headers["Cache-Control"]),
                         ("application/json", "public, max-age=300"))

    def test_a_token_that_was_changed_does_not_verify(self):
        token = json.loads(self.site.ask("/token?user=alice").text)["access_token"]
        head, body, signature = token.split(".")
        claims = json.loads(unbase64(body))
        claims["impu"] = "sip:eve@home1.net"
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        with self.assertRaises(InvalidSignature):
            verified(f"{head}.{body}.{signature}", self.site.ask("/jwks.json").text)

    def test_keeps_a_connection_for_the_next_request(self):
        connection = self.site.connect()
        for _ in range(3):
            connection.request("GET", "/token?user=alice")
            local = connection.sock.getsockname()
            self.assertEqual(connection.getresponse().read()[:2], b'{"')
            self.assertEqual(connection.sock.getsockname(), local)
        connection.close()

    def test_speaks_tls_1_2_and_1_3_only(self):
        for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                               (ssl.TLSVersion.TLSv1_3, True)):
            with self.subTest(version=version):
                self.assertEqual(self.handshake(version), works)

    def handshake(self, version):
        tls = ssl.create_default_context(cafile=FILES.at("cert.pem"))
        tls.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about 1.1, which is tried to see it refused
            tls.minimum_version = tls.maximum_version = version
        with socket.create_connection((self.site.host, self.site.port), timeout=10) as plain:
            try:
                with tls.wrap_socket(plain, server_hostname=self.site.host):
                    return True
            except (ssl.SSLError, ConnectionError):
                return False

    def test_survives_what_is_not_tls(self):
        with socket.create_connection((self.site.host, self.site.port), timeout=10) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                self.assertFalse(plain.recv(1000).startswith(b"HTTP"))
            except ConnectionError:
                pass
        self.assertEqual(self.site.ask("/").status, 200)


class Lending(unittest.TestCase):
    """A pool of two pairs."""

    def setUp(self):
        FILES.write("pool.csv", "p1@ims.home1.net,sip:p1@home1.net\np2@ims.home1.net,sip:p2@home1.net\n")
        self.site = self.open()

    def open(self):
        return Site(FILES, "127.0.0.1:0", pairs="pool.csv", pool="given")

    def tearDown(self):
        self.assertEqual(self.site.stop()[0], 0)
        os.remove(FILES.at("given"))

    def token(self, query=""):
        """What the site said, with the claims."""
        said = json.loads(self.site.ask("/token" + query).text)
        said["claims"] = verified(said["access_token"], self.site.ask("/jwks.json").text)[1]
        return said

    def test_lends_an_anonymous_visitor_a_pair_of_the_pool(self):
        said = self.token()
        claims = said["claims"]
        self.assertRegex(said["visitor"], "^[0-9a-f]{32}$")
        self.assertRegex(claims["sub"], "^anon-[0-9a-f]{16}$")
        self.assertNotIn(said["visitor"], said["access_token"])
        self.assertNotIn(claims["sub"][5:], said["visitor"])
        self.assertEqual((claims["scn"], claims["wwsf"]), ("pool", "shop"))
        self.assertEqual(claims["impu"], f"sip:{claims['impi'].split('@')[0]}@home1.net")
        self.assertEqual((claims["impi"], claims["impu"]), (said["impi"], said["impu"]))
        self.assertEqual(claims["exp"] - claims["iat"], 600)

    def test_lends_two_visitors_two_pairs_and_each_the_same_again(self):
        one, other = self.token(), self.token()
        self.assertNotEqual(one["impu"], other["impu"])
        for said in (one, other):
            again = self.token("?visitor=" + said["visitor"])
            self.assertEqual((again["impu"], again["visitor"]), (said["impu"], said["visitor"]))
            self.assertEqual(again["claims"]["sub"], said["claims"]["sub"])
            self.assertNotEqual(again["claims"]["jti"], said["claims"]["jti"])

    def test_lends_a_user_who_has_signed_in_a_pair_of_the_pool(self):
        said = self.token("?user=eve")
        self.assertEqual(said["claims"]["sub"], "web-eve")
        self.assertNotIn("visitor", said)
        self.assertEqual(self.token("?user=eve")["impu"], said["impu"])
        self.assertNotEqual(self.token()["impu"], said["impu"])

    def test_says_when_to_come_back_when_no_pair_is_free(self):
        self.token()
        self.token("?lifetime=3")
        answer = self.site.ask("/token")
        self.assertEqual((answer.status, json.loads(answer.text)), (503, {"error": "no identity is free"}))
        self.assertIn(int(answer.headers["Retry-After"]), (3, 4))

    def test_lends_a_pair_again_when_its_token_has_ended(self):
        self.token()
        last = self.token("?lifetime=1")
        while (answer := self.site.ask("/token")).status == 503:
            time.sleep(0.2)
        claims = verified(json.loads(answer.text)["access_token"], self.site.ask("/jwks.json").text)[1]
        self.assertEqual(claims["impu"], last["impu"])
        self.assertGreater(claims["iat"], last["claims"]["exp"])

    def test_keeps_its_word_over_a_restart(self):
        one, other = self.token(), self.token()
        self.assertEqual(self.site.stop()[0], 0)
        self.site = self.open()
        self.assertEqual(self.site.ask("/token").status, 503)
        for said in (one, other):
            self.assertEqual(self.token("?visitor=" + said["visitor"])["impu"], said["impu"])

    def test_refuses_a_visitor_that_it_cannot_have_named(self):
        for handle in ("", "0" * 31, "0" * 33, "G" * 32, "%30" * 32):
            with self.subTest(handle=handle):
                self.assertEqual(self.site.ask("/token?visitor=" + handle).status, 400)

    def test_a_file_of_something_else_ends_with_1(self):
        FILES.write("strange", "hello\n")
        answer = run(*FILES.words("127.0.0.1:0", pairs="pool.csv", pool="strange"))
        self.assertEqual(answer.returncode, 1)
        self.assertIn("strange:1: not UNTIL SUBJECT IMPU", answer.stderr)


class OverIpv6(unittest.TestCase):
    def test_serves_on_an_ipv6_address(self):
        site = Site(FILES, "[::1]:0")
        try:
            self.assertEqual(site.host, "::1")
            self.assertEqual(site.ask("/").status, 200)
        finally:
            self.assertEqual(site.stop()[0], 0)


if __name__ == "__main__":
    FILES = Files()
    unittest.main(verbosity=2)
