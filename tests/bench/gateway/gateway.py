# SPDX-License-Identifier: BSD-3-Clause
"""SIP through the whole gateway, W2 to Mw, per second of its CPU: wicgate on kernel sockets and on a TAP port, beside
Debian's Kamailio as an edge proxy. All in one run, the same clients and the same core; the median of RUNS."""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "load"))
import churn_world as world     # noqa: E402

CORE_PROGRAM, RING_PROGRAM = (os.path.join(world.BUILD, "tests/bench/gateway", name) for name in ("sip_core", "sip_ring"))
EDGE_MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules"
EDGE, TAP_GATEWAY, TAP_KERNEL, TAP_CORE, INTERFACE = "198.18.0.30", "198.19.0.10", "198.19.0.1", "198.19.0.20", "wic0"
CLIENTS, RUNS = 64, 3
SERVER_CORE, LOAD_CORE = "0", "1"       # the CPU that is measured has nothing else to do
# what a run does: as many as take a second or two of the server's CPU
DRIVES = (("re-REGISTER", "register", 10000), ("MESSAGE", "message", 15000), ("call, INVITE to BYE", "call", 4000))
TRANSACTIONS = 100000                   # those of an INVITE stay for 32 s
FULL, DEFAULT_TRANSACTIONS = 4096, 200000       # of the table whose memory is looked at; limits.max_transactions
KINDS = {"answered": "INVITE, answered by 200", "ringing": "INVITE, ringing", "silent": "MESSAGE, unanswered"}


def configuration(folder):
    """As the churn's, with one worker, and room for the calls of all runs."""
    text = world.configuration(folder, CLIENTS).replace("cores: [0, 1]", f"cores: [{SERVER_CORE}]")
    return text.replace(f"max_transactions: {4 * CLIENTS}", f"max_transactions: {TRANSACTIONS}")


def packets_configuration(folder, device):
    """The same with a port of our own, whose other end is TAP_KERNEL."""
    text = configuration(folder).replace(
        f"device: kernel, addresses: [{world.GATEWAY}/24]",
        f'device: "{device}", addresses: [{TAP_GATEWAY}/24], gateways: [{TAP_KERNEL}]')
    return text.replace(world.CORE, TAP_CORE)


def cpu_s(pid):
    """CPU time of a process with all its threads: its clock, as clock_getcpuclockid(3) makes it."""
    return time.clock_gettime((~pid << 3) | 2)


class Core(world.Program):
    """The core of core.c."""

    def __init__(self, folder, address):
        super().__init__(f"core-{address}", ["taskset", "-c", LOAD_CORE, CORE_PROGRAM, f"{address}:{world.MW_PORT}"], folder)
        self.ready(lambda: "ready" in world.text_of(self.log))


def own_folder(folder, name, text):
    """A folder for one gateway, and its configuration with what it keeps in there."""
    own = f"{folder}/{name}"
    os.mkdir(own)
    return own, own_text(folder, name, text)


def own_text(folder, name, text):
    for what in ("state", "control.sock"):
        text = text.replace(f"{folder}/{what}", f"{folder}/{name}/{what}")
    return text


class Wicgate(world.Gateway):

    def cpu_s(self):
        return cpu_s(self.child.pid)


class Edge(world.Program):
    """Kamailio, one process for each of what it must have; with TLSF, the fastest of its three allocators here: with its
    default, a list that is searched, it spends most of its time there."""

    def __init__(self, folder):
        self.socket = f"{folder}/edge.ctl"
        with open(f"{folder}/edge-tls.cfg", "w") as file:
            file.write(f"[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n"
                       f"private_key = {folder}/key.pem\ncertificate = {folder}/cert.pem\n")
        super().__init__("edge", [
            "taskset", "-c", SERVER_CORE, "kamailio", "-DD", "-E", "-x", "tlsf", "-X", "tlsf", "-m", "512", "-M", "32", "-f", f"{HERE}/kamailio-edge.cfg",
            "-P", f"{folder}/edge.pid", "-Y", folder, "-w", folder, "-A", f'TLS_CONFIG="{folder}/edge-tls.cfg"',
            "-A", f'RPC_SOCK="unixs:{self.socket}"', "-A", f'CORE="sip:{world.CORE}:{world.MW_PORT};transport=tcp"',
            "-l", f"tls:{EDGE}:443", "-l", f"tcp:{EDGE}:{world.MW_PORT}"], folder)
        self.ready(lambda: self.ask("core.uptime").returncode == 0)

    def ask(self, command):
        return subprocess.run(["kamcmd", "-s", f"unix:{self.socket}", command], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)

    def shared_bytes(self):
        """What its processes have taken of the memory that they share; transactions live there."""
        return int(re.search(r"^\s*used: (\d+)", self.ask("core.shmmem").stdout, re.M).group(1))

    def cpu_s(self):
        children = world.text_of(f"/proc/{self.child.pid}/task/{self.child.pid}/children").split()
        return sum(cpu_s(int(pid)) for pid in [self.child.pid, *children])


def load_options(folder, address, drive, operations):
    return ["--target", f"{address}:443", "--server-name", world.HOST, "--ca", f"{folder}/cert.pem",
            "--origin", world.ORIGIN, "--domain", world.REALM, "--signing-key", f"{folder}/es256.pem",
            "--kid", world.KEY_ID, "--issuer", world.ISSUER, "--audience", world.AUDIENCE, "--pairs", f"{folder}/pairs.csv",
            "--reuse-token", "--clean", "--json", "--connections", str(CLIENTS), "--rate", "1000", "--hold", "1",
            "--settle", "1", "--report", "100", "--drive", drive, "--drive-operations", str(operations)]


def ring(folder, what, name, text, *drive):
    """What sip_ring says."""
    own, text = own_folder(folder, name, text)
    with open(f"{own}/wicgate.yaml", "w") as file:
        file.write(text)
    return json.loads(world.run("taskset", "-c", SERVER_CORE, RING_PROGRAM, what, f"{own}/wicgate.yaml",
                                *load_options(folder, TAP_GATEWAY, *drive)))


def ring_rate(folder, drive, operations):
    return statistics.median(ring(folder, "rates", f"ring-{drive}", packets_configuration(folder, "net_ring_wic"), drive,
                                  operations))


def watched(folder, address, drive, looks, *more):
    """Runs wicgate-load; looks: phase to (seconds into it, what is called then). Its process, and what each call gave."""
    command = ["taskset", "-c", LOAD_CORE, world.LOAD, *load_options(folder, address, *drive), *more]
    load = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = {}
    for line in load.stderr:
        phase = re.search(r"phase=(\w+) phase_s=0\.0", line)
        if phase and phase.group(1) in looks:
            after_s, call = looks[phase.group(1)]
            time.sleep(after_s)
            seen[phase.group(1)] = call()
        if len(seen) == len(looks):
            break
    return load, seen


def rate(folder, server, address, drive, operations):
    """Operations per second of the server's CPU: from within the second before the drive to the one behind it, in which
    nothing is asked of it."""
    load, cpu = watched(folder, address, (drive, operations), {"hold": (0.3, server.cpu_s), "settle": (0.3, server.cpu_s)})
    result, _ = load.communicate()
    if load.returncode != 0:
        raise world.Broken(f"{server.name}, {drive}: {result[-2000:]}")
    done = sum(deed["count"] for deed in json.loads(result)["deeds"] if deed["phase"] == "drive")
    if done != operations:
        raise world.Broken(f"{server.name}, {drive}: {done} of {operations}")
    return done / (cpu["settle"] - cpu["hold"])


def missing():
    """What is not there without which nothing is measured."""
    return [text for text in world.missing() if "kamailio" not in text]


def edge_missing():
    """Why there is no Kamailio to compare with, or None."""
    if not all(shutil.which(name) for name in ("kamailio", "kamcmd")):
        return "the Debian package kamailio is not installed"
    for module, package in (("websocket", "kamailio-websocket-modules"), ("tls", "kamailio-tls-modules")):
        if not os.path.exists(f"{EDGE_MODULES}/{module}.so"):
            return f"the Debian package {package} is not installed"
    return None


def start(folder):
    """The servers, each with its address."""
    world.prepare(folder, CLIENTS)
    world.run("ip", "addr", "add", f"{EDGE}/32", "dev", "lo")
    kernel = Wicgate(*own_folder(folder, "kernel", configuration(folder)))
    tap = Wicgate(*own_folder(folder, "tap", packets_configuration(folder, f"tap:{INTERFACE}")))
    world.run("ip", "addr", "add", f"{TAP_KERNEL}/24", "dev", INTERFACE)
    world.run("ip", "addr", "add", f"{TAP_CORE}/32", "dev", INTERFACE)
    world.run("ip", "link", "set", INTERFACE, "txqueuelen", "10000", "up")
    cores = [Core(folder, world.CORE), Core(folder, TAP_CORE)]
    edge = [] if edge_missing() else [(Edge(folder), EDGE)]
    return [(kernel, world.GATEWAY), (tap, TAP_GATEWAY), *edge], cores


def heading(*names):
    print("| " + " | ".join(names) + " |\n|" + "|".join("-" * (len(name) + 2) for name in names) + "|", flush=True)


def row(what, ring_, kernel, tap, edge=None):
    beside = f"{edge:8.0f} | {kernel / edge:6.2f} | {tap / edge:5.2f}" if edge else "       - |      - |     -"
    print(f"| {what:20} | {ring_:7.0f} | {kernel:7.0f} | {tap:7.0f} | {beside} |", flush=True)


def play_rates(folder, servers):
    heading(f"{'a CPU-second':20}", "   ring", " kernel", "    TAP", "Kamailio", "kernel", "  TAP")
    for what, drive, operations in DRIVES:
        in_memory = ring_rate(folder, drive, operations)
        rates = [[rate(folder, server, address, drive, operations) for server, address in servers] for _ in range(RUNS)]
        row(what, in_memory, *map(statistics.median, zip(*rates)))


def memory_configuration(folder):
    """A table that is filled, and little else that grows meanwhile."""
    text = packets_configuration(folder, "net_ring_wic").replace(f"max_transactions: {TRANSACTIONS}", f"max_transactions: {FULL}")
    text = text.replace("workers: {", "workers: {mailbox_bytes: 262144, ")
    return text.replace("requests_per_second: 1000000}}", "requests_per_second: 1000000, calls_in_setup: 64}}")


def edge_bytes(folder, edge, drive, to):
    """Shared memory that Kamailio holds for each request without a final answer: once nothing is left of registering, and
    when every client has one."""
    load, used = watched(folder, EDGE, (drive, CLIENTS), {"hold": (7, edge.shared_bytes), "drive": (1, edge.shared_bytes)},
                         "--to", to, "--hold", "8")
    load.kill()
    load.communicate()
    return (used["drive"] - used["hold"]) / CLIENTS


def play_memory(folder, edges):
    told = ring(folder, "memory", "ring-memory", memory_configuration(folder), "call", 1)
    theirs = dict.fromkeys(KINDS)
    for edge, _ in edges:
        theirs["ringing"] = edge_bytes(folder, edge, "call", "sip:ringing@core.invalid")
        theirs["silent"] = edge_bytes(folder, edge, "message", "sip:silent@core.invalid")
    heading(f"{'bytes of a transaction':34}", "wicgate", f"MiB of {DEFAULT_TRANSACTIONS}", "Kamailio", "ratio")
    for name, what in KINDS.items():
        each = told[name]["bytes"] / told[name]["count"]
        ratio = "     - |     -" if theirs[name] is None else f"{theirs[name]:8.0f} | {each / theirs[name]:5.2f}"
        print(f"| {what:34} | {each:7.0f} | {each * DEFAULT_TRANSACTIONS / 2**20:13.0f} | {ratio} |", flush=True)
    print(f"wicgate's table of {FULL} was full with {told['live']}. -: " +
          (edge_missing() or "Kamailio forgets a call 5 s after its answer, wicgate after 32 s (RFC 6026)"))


def play(folder):
    servers, cores = start(folder)
    play_rates(folder, servers)
    play_memory(folder, servers[2:])
    end(*[server for server, _ in servers], *cores)


def end(*programs):
    for program in programs:
        program.child.terminate()
        program.child.wait()


def play_in_folder(name, title, play):
    """Plays in a folder of its own, which stays when something breaks; the exit code."""
    lacking = missing()
    if lacking:
        print("\n".join(lacking))
        return 1
    folder = tempfile.mkdtemp(prefix=f"wicgate-bench-{name}-")
    print(f"\n{title}")
    try:
        play(folder)
    except world.Broken as broken:
        print(f"FAIL {broken}")
        print(f"logs and configuration: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(play_in_folder("sip", "SIP, from WebSocket in TLS 1.3 to the core on TCP: one worker, what plays its peers on the other CPU; "
                                   "kernel and TAP\nas ratio to Kamailio, which checks neither token nor identity", play))
