#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""lying_server.py FOLDER   an HTTPS server for key sets on 127.0.0.1 that does what its path says.

Writes FOLDER/ca.pem, prints one line "NAME=PORT ..." and serves until its standard input ends. Each name is a certificate:
good, expired, other (for another host), stranger (of another CA), and old: good, but with TLS 1.1 at most; plain: no TLS.
"""
import datetime
import itertools
import os
import socket
import ssl
import sys
import threading
import time
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SET = (b'{"keys":[{"kty":"EC","crv":"P-256","kid":"%s","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
       b'"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}')
NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)
count = itertools.count(1)


def certificate(name, host, signer=None, end=NOW + DAY):
    """(key, certificate) of host; signer None: of itself, a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
               .issuer_name(signer[1].subject if signer else subject).serial_number(x509.random_serial_number())
               .not_valid_before(NOW - 30 * DAY).not_valid_after(end)
               .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True))
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return key, builder.sign(signer[0] if signer else key, hashes.SHA256())


def context(folder, name, pair):
    key, leaf = pair
    path = os.path.join(folder, name + ".pem")
    with open(path, "wb") as out:
        out.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption()))
        out.write(leaf.public_bytes(serialization.Encoding.PEM))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    if name == "old":
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is old is the point
            made.minimum_version, made.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return made


def head(length, *lines, status=b"200 OK"):
    return b"\r\n".join([b"HTTP/1.1 " + status, b"Content-Length: %d" % length, *lines, b"", b""])


def whole(body, *lines, status=b"200 OK"):
    return head(len(body), *lines, status=status) + body


def drip(tls):
    tls.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        tls.sendall(b"1\r\n \r\n")
        time.sleep(0.05)


def endless(tls, first, piece):
    tls.sendall(first)
    while True:
        tls.sendall(piece)


def answer(tls, path, request):
    good = SET % b"a"
    if path == "/hang":
        time.sleep(3600)
    elif path == "/drip":
        drip(tls)
    elif path == "/big":  # chunked: its length is not told
        endless(tls, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + 4096 * b" " + b"\r\n")
    elif path == "/head":
        endless(tls, b"HTTP/1.1 200 OK\r\n", b"X-More: " + 1000 * b"x" + b"\r\n")
    elif path == "/close":
        pass
    elif path == "/cut":
        tls.sendall(head(len(good)) + good[:-9])
    elif path == "/rotate":
        tls.sendall(whole(SET % b"k%d" % next(count), b"Cache-Control: max-age=77"))
    elif path == "/echo":  # what we asked with
        tls.sendall(whole(request))
    else:
        tls.sendall({
            "/good": whole(good, b"Cache-Control: max-age=600", b"Age: 100", b"Set-Cookie: a=b"),
            "/told": head(10 * 1024 * 1024),
            "/redirect": whole(b"", b"Location: /good", status=b"302 Found"),
            "/error": whole(good, status=b"500 Oops"),
            "/empty": whole(b""),
            "/html": whole(b"<html>"),
            "/bytes": whole(bytes(range(256))),
            "/full": whole(good + (256 * 1024 - len(good)) * b" "),
            "/over": whole(good + (256 * 1024 + 1 - len(good)) * b" "),
            "/0.9": good,
        }[path])


def client(raw, made):
    try:
        raw.settimeout(10)
        tls = made.wrap_socket(raw, server_side=True) if made else raw
        request = tls.recv(65536)
        answer(tls, request.split(b" ")[1].decode("latin-1"), request)
        tls.close()
    except (OSError, IndexError, KeyError):
        raw.close()  # who lies is hung up on


def serve(listener, made):
    while True:
        threading.Thread(target=client, args=(listener.accept()[0], made), daemon=True).start()


def main():
    folder = sys.argv[1]
    ca, stranger = certificate("test CA", None), certificate("another CA", None)
    with open(os.path.join(folder, "ca.pem"), "wb") as out:
        out.write(ca[1].public_bytes(serialization.Encoding.PEM))
    contexts = {
        "good": context(folder, "good", certificate("good", "localhost", ca)),
        "expired": context(folder, "expired", certificate("expired", "localhost", ca, NOW - DAY)),
        "other": context(folder, "other", certificate("other", "keys.example", ca)),
        "stranger": context(folder, "stranger", certificate("stranger", "localhost", stranger)),
        "old": context(folder, "old", certificate("old", "localhost", ca)),
        "plain": None,
    }
    ports = []
    for name, made in contexts.items():
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(f"{name}={listener.getsockname()[1]}")
        threading.Thread(target=serve, args=(listener, made), daemon=True).start()
    print(*ports, flush=True)
    sys.stdin.read()


main()
