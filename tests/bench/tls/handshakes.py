# SPDX-License-Identifier: BSD-3-Clause
"""Handshakes per second of server CPU, and memory of an idle TLS connection: wicgate beside nginx in the same run.
Both on kernel sockets, one worker, the same certificate (P-256), X25519, one TLS 1.3 ticket; the median of RUNS."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "load"))
import churn_world as world     # noqa: E402

CLIENT = os.path.join(world.BUILD, "tests/bench/tls/tls_client")
NGINX = "198.18.0.11"
SECONDS, RUNS = 2, 3
HELD = 1000
VERSIONS = ("1.3", "1.2")


def gateway_configuration(folder):
    """As the churn's, with one worker that waits for a bench that only handshakes."""
    text = world.configuration(folder, 4 * HELD).replace("cores: [0, 1]", "cores: [0]")
    # the node's limits begin a line; those of a web site do not
    return text.replace("\nlimits: {", "\nlimits: {http_upgrade: 120, tls_handshake: 120, ")


def nginx_configuration(folder):
    return f"""\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_header_timeout 120s;
  server {{
    listen {NGINX}:443 ssl;
    server_name {world.HOST};
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ecdh_curve X25519:P-256;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    ssl_conf_command NumTickets 1;
    ssl_session_tickets on;
    ssl_session_timeout 2h;
  }}
}}
"""


class Nginx(world.Program):
    """Debian's nginx."""

    def __init__(self, folder):
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(nginx_configuration(folder))
        super().__init__("nginx", ["prlimit", f"--nofile={world.FILES}:{world.FILES}", "nginx", "-c", path, "-p", folder],
                         folder)
        self.ready(lambda: os.path.exists(f"{folder}/nginx.pid"))

    def rss_kib(self):
        """Of its worker: the process that the first one forked."""
        children = world.text_of(f"/proc/{self.child.pid}/task/{self.child.pid}/children").split()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", world.text_of(f"/proc/{children[0]}/status"), re.M).group(1))


def client(address, *words):
    return ["prlimit", f"--nofile={world.FILES}:{world.FILES}", CLIENT, address, world.HOST, *map(str, words)]


def handshakes(server, address, version, how):
    """Per second of the server's CPU."""
    before = server.cpu_s()
    done, resumed = map(int, world.run(*client(address, version, how, SECONDS)).split())
    if resumed < done - 1 and how == "resumed" or resumed and how == "full":
        raise world.Broken(f"{server.name} resumed {resumed} of {done} handshakes, TLS {version}, {how}")
    return done / (server.cpu_s() - before)


def idle_kib(server, address, version):
    """What a connection that has only handshaked adds to the server's resident memory."""
    before = server.rss_kib()
    held = subprocess.Popen(client(address, version, "hold", HELD), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if held.stdout.readline() != b"open\n":
        raise world.Broken(f"{server.name} does not hold {HELD} connections")
    after = server.rss_kib()
    held.stdin.close()
    held.wait()
    return (after - before) / HELD


def row(what, ours, theirs):
    print(f"| {what:40} | {ours:7.1f} | {theirs:7.1f} | {ours / theirs:5.2f} |", flush=True)


def start(folder):
    """Both servers, with their addresses."""
    return ((world.Gateway(folder, gateway_configuration(folder)), world.GATEWAY), (Nginx(folder), NGINX))


def stop(servers):
    for server, _ in servers:
        server.child.terminate()
        server.child.wait()


def play(folder):
    for version in VERSIONS:
        servers = start(folder)     # new ones: what earlier connections left free would hide what these take
        row(f"KiB of an idle TLS {version} connection", *(idle_kib(server, address, version) for server, address in servers))
        for how in ("full", "resumed"):
            rates = [[handshakes(server, address, version, how) for server, address in servers] for _ in range(RUNS)]
            row(f"TLS {version} handshakes a CPU-second, {how}", *map(statistics.median, zip(*rates)))
        stop(servers)


def main():
    lacking = [] if shutil.which("nginx") else ["nginx is missing: install the Debian package nginx-light"]
    if lacking:
        print("\n".join(lacking))
        return 1
    folder = tempfile.mkdtemp(prefix="wicgate-bench-tls-")
    print("\nTLS beside nginx, one worker each, kernel sockets\n"
          "| what                                     | wicgate |   nginx | ratio |\n"
          "|------------------------------------------|---------|---------|-------|")
    try:
        world.prepare(folder, 10)
        world.run("ip", "addr", "add", f"{NGINX}/32", "dev", "lo")
        play(folder)
    except world.Broken as broken:
        print(f"FAIL {broken}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
