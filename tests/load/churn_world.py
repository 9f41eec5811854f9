# SPDX-License-Identifier: BSD-3-Clause
"""What the churn plays in: addresses, keys, the S-CSCF and the gateway. Only for a namespace of its own."""
import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("WICGATE_BUILD", os.path.join(HERE, "..", "..", "build"))
WICGATE, WICCTL, LOAD = (os.path.join(BUILD, name) for name in ("wicgate", "wicctl", "wicgate-load"))
CORE_CONFIG = os.path.join(HERE, "..", "e2e", "peers", "kamailio-scscf.cfg")
PROGRAMS = {"ip": "iproute2", "openssl": "openssl", "kamailio": "kamailio", "kamcmd": "kamailio"}

GATEWAY, CORE = "198.18.0.10", "198.18.0.20"
CLIENTS = [f"198.18.1.{n}" for n in range(1, 5)]
HOST, REALM = "ep1.home1.net", "ims.example.test"
ORIGIN, ISSUER, AUDIENCE, KEY_ID = "https://shop.example", "https://waf.shop.example", "sip:ep1.home1.net", "waf-1"
MW_PORT = 5060
# thousands of users come from one address, and as fast as they can
SITE_LIMITS = ("limits: {connections_per_second: 1000000, registrations_per_second: 1000000, "
               "requests_per_second: 1000000}")
ONE_ADDRESS_LIMITS = ("upgrades_per_second: 1000000, upgrades_burst: 1000000, connections_per_address: 10000000, "
                      "requests_per_second: 1000000")
READY_S = 20
FILES = 20000           # open files of a process; what the system lets us have, at most


class Broken(Exception):
    """The world could not be made; the text says why."""


def missing():
    """What is not there, each with what to do about it."""
    return [f"{name} is missing: install the Debian package {package}"
            for name, package in PROGRAMS.items() if shutil.which(name) is None] + \
           [f"{path} is missing: build it first (make soak)"
            for path in (WICGATE, WICCTL, LOAD) if not os.access(path, os.X_OK)]


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def run(*command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def wait_for(what, probe, timeout_s=READY_S):
    end = time.monotonic() + timeout_s
    while not probe():
        if time.monotonic() > end:
            raise Broken(f"not within {timeout_s} s: {what}")
        time.sleep(0.05)


class Program:
    """One running program, its output in FOLDER/NAME.log."""

    def __init__(self, name, command, folder):
        self.name = name
        self.log = os.path.join(folder, f"{name}.log")
        with open(self.log, "w") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ready(self, probe):
        def alive_and_ready():
            if self.child.poll() is not None:
                raise Broken(f"{self.name} ended at start:\n{text_of(self.log)[-3000:]}")
            return probe()
        wait_for(f"{self.name} ready", alive_and_ready)

    def must_live(self):
        if self.child.poll() is not None:
            raise Broken(f"{self.name} ended by itself, {self.child.returncode}:\n{text_of(self.log)[-3000:]}")

    def cpu_s(self):
        """CPU time of the process and of those it forked, s."""
        ticks = 0
        for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
            try:
                fields = text_of(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(pid) == self.child.pid or int(fields[1]) == self.child.pid:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


class Core(Program):
    """Debian's Kamailio as S-CSCF."""

    def __init__(self, folder, address=CORE, switches=()):
        self.socket = os.path.join(folder, "kamailio.ctl")
        super().__init__("kamailio", [
            "kamailio", "-DD", "-E", "-m", "512", "-M", "16", "-f", CORE_CONFIG,
            "-P", os.path.join(folder, "kamailio.pid"), "-Y", folder, "-w", folder,
            "-A", f'RPC_SOCK="unixs:{self.socket}"', 
            "-l", f"udp:{address}:{MW_PORT}", "-l", f"tcp:{address}:{MW_PORT}",
            *(word for name in switches for word in ("-A", name))], folder)
        self.ready(lambda: self.ask("core.uptime").returncode == 0)

    def ask(self, *command):
        return subprocess.run(["kamcmd", "-s", f"unix:{self.socket}", *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def contacts(self):
        """How many registrations it has."""
        said = self.ask("stats.get_statistics", "usrloc:").stdout.decode(errors="replace")
        found = re.search(r"location_contacts = (\d+)", said)
        if found is None:
            raise Broken(f"kamailio does not say how many contacts it has: {said}")
        return int(found.group(1))


def configuration(folder, connections):
    """Room for what is there once more: a client may be back before its old connection is known to be gone."""
    return f"""\
node: {{name: {HOST}, state_directory: {folder}/state}}
realms: [{{domain: {REALM}, visited_network: {REALM}}}]
workers: {{cores: [0, 1], idle: sleep}}
ports:
  - {{name: access, device: kernel, addresses: [{GATEWAY}/24]}}
access:
  listen: [{{port: access, tcp: 443}}]
  paths: [/]
  tls: {{certificates: [{{certificate: {folder}/cert.pem, key: {folder}/key.pem}}]}}
mw:
  port: access
  sip_port: {MW_PORT}
  next_hops: [{{uri: "sip:{CORE}:{MW_PORT};transport=tcp"}}]
  options_interval: 0
  reg_event: false   # what is counted is what WICs do
  trusted: [{CORE}]
issuers:
  - {{name: shop-waf, iss: "{ISSUER}", audience: "{AUDIENCE}", algorithms: [ES256],
     jwks: "file:{folder}/jwks.json", authz_server: "{ISSUER}"}}
wwsf:
  - {{name: shop, issuer: shop-waf, origins: ["{ORIGIN}"], mode: individual,
     identities: {{file: {folder}/pairs.csv}}, {SITE_LIMITS}}}
limits: {{{ONE_ADDRESS_LIMITS}, max_connections: {2 * connections}, max_bindings: {2 * connections}, max_transactions: {4 * connections}}}
control: {{socket: {folder}/control.sock}}
log: {{level: warning}}
"""


class Gateway(Program):
    """wicgate with what a configuration says."""

    def __init__(self, folder, text):
        path = os.path.join(folder, "wicgate.yaml")
        with open(path, "w") as file:
            file.write(text)
        self.socket = os.path.join(folder, "control.sock")
        super().__init__("wicgate", ["prlimit", f"--nofile={FILES}:{FILES}", WICGATE, "-c", path], folder)
        self.ready(self.answers)

    def ask(self, command):
        return subprocess.run([WICCTL, "--socket", self.socket, "--json", command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def answers(self):
        return self.ask("status").returncode == 0

    def rows(self):
        done = self.ask("stats")
        if done.returncode != 0:
            raise Broken(f"wicctl stats: {done.stderr.decode(errors='replace').strip()}; wicgate said:\n"
                         f"{text_of(self.log)[-3000:]}")
        return json.loads(done.stdout)["stats"]

    def stats(self):
        """Counter name to its total of all workers."""
        return {row["name"]: row["total"] for row in self.rows()}

    def errors(self):
        return {name: total for name, total in self.stats().items() if name.startswith("errors.") and total > 0}

    def rss_kib(self):
        found = re.search(r"^VmRSS:\s+(\d+) kB", text_of(f"/proc/{self.child.pid}/status"), re.M)
        if found is None:       # it has just ended
            raise Broken(f"{self.name} ended by itself:\n{text_of(self.log)[-3000:]}")
        return int(found.group(1))

    def files(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def stop(self):
        """Asks it to end. Returns None, or what went wrong."""
        self.child.terminate()
        try:
            status = self.child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            return "still there after 30 s"
        return None if status == 0 else f"exit {status}"


def make_keys(folder):
    """The server's certificate, the issuer's key, and its public half as the gateway gets it."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-subj", f"/CN={HOST}",
        "-addext", f"subjectAltName=DNS:{HOST}")
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{folder}/es256.pem")
    point = run("openssl", "pkey", "-in", f"{folder}/es256.pem", "-pubout", "-outform", "DER")[-64:]
    x, y = (base64.urlsafe_b64encode(half).rstrip(b"=").decode() for half in (point[:32], point[32:]))
    key = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": KEY_ID, "use": "sig", "alg": "ES256"}
    with open(f"{folder}/jwks.json", "w") as file:
        json.dump({"keys": [key]}, file)


def prepare(folder, connections):
    run("ip", "link", "set", "lo", "up")
    for address in (GATEWAY, CORE, *CLIENTS):
        run("ip", "addr", "add", f"{address}/32", "dev", "lo")
    make_keys(folder)
    with open(f"{folder}/pairs.csv", "wb") as file:
        file.write(run(LOAD, "--make-pairs", str(connections), "--domain", REALM))

def main(name, play):
    """Plays in a folder of its own, with a verdict line for each sentence; 1 when one does not hold."""
    lacking = missing()
    if lacking:
        print("\n".join(f"FAIL {name}: {what}" for what in lacking))
        return 1
    folder = tempfile.mkdtemp(prefix=f"wicgate-{name}-")
    bad = 0
    try:
        for sentence, why in play(folder):
            print(f"ok {sentence}" if why is None else f"FAIL {sentence}: {why}")
            bad += why is not None
    except Broken as broken:
        print(f"FAIL {name}: {broken}")
        bad += 1
    if bad == 0:
        shutil.rmtree(folder)
    else:
        print(f"logs and configuration: {folder}")
    return 1 if bad else 0
