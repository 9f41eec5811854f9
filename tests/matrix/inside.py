# SPDX-License-Identifier: BSD-3-Clause
"""Plays one case in a network namespace of its own: inside.py [--kernel] CASE   prints one line of JSON."""
import json
import os
import select
import subprocess
import sys
import tempfile
import time

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("WICGATE_BUILD", os.path.join(HERE, "..", "..", "build"))
END, PEER, WIREBOX = (os.path.join(BUILD, "tests", *path) for path in (
    ("matrix", "matrix_end"), ("matrix", "matrix_peer"), ("wirebox", "wirebox")))
OURS, THEIRS = 2, 1
MAC = {OURS: "02:00:00:00:00:02", THEIRS: "02:00:00:00:00:01"}
READY_S = 20
CLOSED_S = 40       # until the kernel has nothing left of the connection: what is lost at the end is repeated
# our side, when it is a kernel too: in a namespace of its own, with the congestion control of the case
OTHER_KERNEL = ["unshare", "-n", "sh", "-c", 'echo "$0" >/proc/sys/net/ipv4/tcp_congestion_control && exec "$@"']
TIME_WAIT, LISTEN = "06", "0A"


class Broken(Exception):
    """The case could not be played; the text says why."""


def write(path, value):
    with open(path, "w") as file:
        file.write(str(value))


def ip(lines, pid=None):
    inside = ["nsenter", "-t", str(pid), "-n"] if pid else []
    done = subprocess.run(inside + ["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Broken(f"ip: {done.stderr.strip()}")


def options_of(play):
    return [f"--{name}={value}" for name, value in play.items()]


class Child:
    """A program whose answers are lines of its standard output."""

    def __init__(self, command):
        self.log = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.name = os.path.basename(command[0])
        self.pending = b""

    def line(self, seconds):
        """The next line, or None when there is none in time or ever."""
        end = time.monotonic() + seconds
        fd = self.child.stdout.fileno()
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                return None
            more = os.read(fd, 65536)
            if not more:
                return None
            self.pending += more
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def tell(self, text):
        self.child.stdin.write(text.encode() + b"\n")
        self.child.stdin.flush()

    def expect(self, text):
        if self.line(READY_S) != text:
            raise Broken(f"{self.name} does not start: {self.said()}")

    def json(self, seconds):
        line = self.line(seconds)
        return json.loads(line) if line else None

    def said(self):
        self.log.seek(0)
        return self.log.read()[-1500:].strip()

    def end(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()


# ---- the wire

def addresses(host, interface):
    return [f"addr add 198.18.0.{host}/24 dev {interface}", f"addr add fd00:18::{host}/64 dev {interface} nodad"]


def neighbours(host, interface):
    return [f"neigh replace {net}{host} dev {interface} lladdr {MAC[host]} nud permanent"
            for net in ("198.18.0.", "fd00:18::")]


def settings(case):
    write("/proc/sys/net/ipv6/conf/default/disable_ipv6", 1)    # so that nothing is said unasked
    write("/proc/sys/net/ipv6/conf/default/accept_dad", 0)
    write("/proc/sys/net/ipv4/tcp_rmem", f"4096 {case['rmem']} {max(case['rmem'], 4096)}")
    for name, sysctl in cases.SYSCTLS.items():
        try:
            write(f"/proc/sys/net/ipv4/{sysctl}", case[name])
        except OSError:
            if case[name] != 3:
                raise
            write(f"/proc/sys/net/ipv4/{sysctl}", 1)    # a kernel that knows no AccECN


def start_wirebox(case, ends):
    box = Child([WIREBOX, *(cases.wirebox(case) or ["--seed", "1"]), *ends])
    deadline = time.monotonic() + READY_S
    while "ready" not in box.said():
        if box.child.poll() is not None or time.monotonic() > deadline:
            raise Broken(f"wirebox: {box.said()}")
        time.sleep(0.005)
    return box


def await_route(host, pid="self"):
    """The kernel makes the route to its own new address later, from a work queue."""
    route = f"fd000018{host:024x} 80 "
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        with open(f"/proc/{pid}/net/ipv6_route") as file:
            if any(line.startswith(route) for line in file):
                return
        time.sleep(0.005)
    raise Broken("no route to an own address")


def join_packets(case):
    """Our port is wic0; the kernel's end that or, over the wirebox, boxed0."""
    if cases.wirebox(case) is None:
        box, theirs, lines = None, "wic0", []
    else:
        ip(["link set wic0 arp off", "link set wic0 up"])
        box, theirs, lines = start_wirebox(case, ["packet:wic0", "tap:boxed0"]), "boxed0", []
    write(f"/proc/sys/net/ipv6/conf/{theirs}/disable_ipv6", 0)
    ip(lines + [f"link set {theirs} address {MAC[THEIRS]} up", *addresses(THEIRS, theirs), *neighbours(OURS, theirs)])
    await_route(THEIRS)
    return box


def join_kernel(case, pid):
    """Both ends are kernels; ours lives in the namespace of matrix_end."""
    box = start_wirebox(case, ["tap:gate0", "tap:boxed0"])
    for name in ("gate0", "boxed0"):
        write(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", 0)
    ip([f"link set gate0 netns {pid}"])
    ip(["link set lo up", f"link set gate0 address {MAC[OURS]} up", *addresses(OURS, "gate0"),
        *neighbours(THEIRS, "gate0")], pid)
    ip([f"link set boxed0 address {MAC[THEIRS]} up", *addresses(THEIRS, "boxed0"), *neighbours(OURS, "boxed0")])
    await_route(OURS, pid)
    await_route(THEIRS)
    return box


# ---- what the kernel has seen

def counters():
    """Of this namespace, by name; IPv6's have their 6 in front."""
    found = {}
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        with open(path) as file:
            lines = file.read().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            kind, prefix = names.split(":")[0], ""
            prefix = {"Icmp": "Icmp", "IcmpMsg": "Icmp", "Udp": "Udp", "UdpLite": "UdpLite"}.get(kind, "")
            found |= {prefix + name: int(value) for name, value in zip(names.split()[1:], values.split()[1:])
                      if int(value) != 0}
    with open("/proc/net/snmp6") as file:
        found |= {name: int(value) for name, value in map(str.split, file) if int(value) != 0}
    return found


def sockets():
    """States of the kernel's connections, TIME-WAIT left out."""
    states = []
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as file:
            states += [line.split()[3] for line in file.read().splitlines()[1:]]
    return [state for state in states if state not in (TIME_WAIT, LISTEN)]


def left_over():
    end = time.monotonic() + CLOSED_S
    while sockets() and time.monotonic() < end:
        time.sleep(0.01)
    names = {"01": "ESTABLISHED", "02": "SYN-SENT", "03": "SYN-RECEIVED", "04": "FIN-WAIT-1", "05": "FIN-WAIT-2",
             "07": "CLOSE", "08": "CLOSE-WAIT", "09": "LAST-ACK", "0B": "CLOSING"}
    return [names.get(state, state) for state in sockets()]


# ---- the case

def play(case, kernel, children):
    settings(case)
    ours, theirs = cases.plays(case)
    ip(["link set lo up"])
    end = Child((OTHER_KERNEL + [case["congestion"]] if kernel else []) +
                [END, f"--kernel={int(kernel)}", *options_of(ours)])
    children.append(end)
    end.expect("ready")
    children.extend(filter(None, [join_kernel(case, end.child.pid) if kernel else join_packets(case)]))
    if "MATRIX_PCAP" in os.environ:
        children.append(Child(["tcpdump", "-i", "any", "-U", "-w", os.environ["MATRIX_PCAP"]]))
        time.sleep(0.5)
    end.tell("join")
    end.expect("joined")
    if case["opens"] == "theirs":
        end.tell("begin")
    peer = Child([PEER, *options_of(theirs)])
    children.append(peer)
    peer.expect("ready")
    if case["opens"] == "ours":
        end.tell("begin")
    our_end = end.json(cases.seconds(case) + 2)
    refused = our_end is not None and our_end.get("end") == cases.RESET and our_end["received"] == 0
    their_end = peer.json(1 if refused else cases.seconds(case) + 2)     # it may have accepted nobody
    if our_end is None or "end" not in our_end:
        raise Broken(f"matrix_end does not play: {end.said()}; their end: {their_end}")
    left = left_over()
    seen = counters()
    end.child.stdin.close()
    rest = end.json(READY_S) or {}
    return {"ours": our_end, "theirs": their_end, "left": left, "counters": seen, "strange": rest.get("strange", 1),
            "our_counters": rest.get("counters"), "our_errors": rest.get("errors"),
            "exit": end.child.wait(READY_S), "log": end.said()}


def main():
    kernel = sys.argv[1] == "--kernel"
    case = cases.case_of(sys.argv[-1])
    children = []
    try:
        played = play(case, kernel, children)
    except (Broken, OSError, subprocess.TimeoutExpired) as error:
        played = {"broken": str(error)}
    finally:
        for child in children:
            child.end()
    print(json.dumps(played))


if __name__ == "__main__":
    main()
