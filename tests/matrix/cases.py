# SPDX-License-Identifier: BSD-3-Clause
"""What a case is made of, what both ends do in it, and what must come of it (TCP.md 8.4)."""
import zlib

# The first value of each is what a kernel does by itself; a case is named by what differs.
PARAMETERS = {
    "workload": ["bulk_up", "bulk_down", "ping_pong", "one_byte", "half_close_ours_first", "half_close_theirs_first",
                 "reset_ours", "reset_theirs", "linger0", "tiny_rcvbuf", "kill9", "cork", "oob", "slow_ours"],
    "loss": [0, 1, 5, 15],              # percent, each way
    "rtt": [0, 20, 100, 300],           # ms
    "reorder": [0, 3],                  # percent, each way
    "opens": ["theirs", "ours"],
    "family": ["v4", "v6"],
    "sack": [1, 0],
    "timestamps": [1, 0],
    "scaling": [1, 0],
    "ecn": [2, 0, 1, 3],                # 3: AccECN
    "dsack": [1, 0],
    "mtu_probing": [0, 1, 2],
    "rmem": [131072, 4096, 6291456],    # bytes, of a socket that asks for nothing
    "congestion": ["cubic", "reno", "bbr"],
    "syncookies": [1, 2],
    "early_retrans": [3, 0],
}
# What a kernel's administrator sets.
SETTINGS = ["sack", "timestamps", "scaling", "ecn", "dsack", "mtu_probing", "rmem", "congestion", "syncookies",
            "early_retrans"]
# The wires of the product: each loss, each delay and reordering, alone and where they meet.
WIRES = [{"loss": loss, "rtt": rtt, "reorder": reorder} for loss, rtt, reorder in (
    (0, 0, 0), (0, 20, 0), (0, 100, 0), (0, 300, 0), (1, 20, 0), (1, 100, 0), (5, 20, 0), (15, 20, 0),
    (0, 20, 3), (5, 100, 3))]
# What a case may say besides: how much a bulk is, what chance follows from, our send buffer.
MORE = ["bytes", "seed", "buffer"]
# What matters most meets by three.
TRIPLES = [("workload", "loss", "opens"), ("workload", "reorder", "family"), ("loss", "rtt", "reorder"),
           ("sack", "timestamps", "loss"), ("scaling", "rmem", "rtt")]
SEED = 9293

SYSCTLS = {"sack": "tcp_sack", "timestamps": "tcp_timestamps", "scaling": "tcp_window_scaling", "ecn": "tcp_ecn",
           "dsack": "tcp_dsack", "mtu_probing": "tcp_mtu_probing", "syncookies": "tcp_syncookies",
           "early_retrans": "tcp_early_retrans"}
CONGESTION = {"reno": 1, "cubic": 2, "bbr": 3}
ENDLESS = 1 << 30

IN_ORDER = "peer closed the connection"
RESET = "connection reset by the peer"
ABORTED = "connection aborted by this node"
SILENT = "peer made no progress in time"
KERNEL_RESET = ("Connection reset by peer", "Broken pipe")


def name_of(case):
    """"bulk_up, 5 % loss, 20 ms, v6, no sack"."""
    words = [case["workload"].replace("_", " "), "we open" if case["opens"] == "ours" else "they open", case["family"]]
    words += [f"{case['loss']} % loss"] * (case["loss"] > 0) + [f"{case['rtt']} ms"] * (case["rtt"] > 0)
    words += ["reordered"] * (case["reorder"] > 0)
    words += [f"{name} {case[name]}" for name in PARAMETERS
              if name not in ("workload", "loss", "rtt", "reorder", "opens", "family")
              and case[name] != PARAMETERS[name][0]]
    return "matrix: " + ", ".join(words)


def key_of(case):
    """One word, by which --case plays it again."""
    return ",".join(f"{name}={case[name]}" for name in [*PARAMETERS, *MORE] if name in case)


def seed_of(case):
    return case.get("seed") or zlib.crc32(key_of(case).encode())


def case_of(key):
    case = {name: values[0] for name, values in PARAMETERS.items()}
    for word in filter(None, key.split(",")):
        name, text = word.split("=")
        case[name] = int(text) if name in MORE else \
            next(value for value in PARAMETERS[name] if str(value) == text)
    return case


def clean(case):
    """Nothing is lost or late by chance."""
    return case["loss"] == 0 and case["reorder"] == 0


def small_window(case):
    return case["rmem"] == 4096 or case["workload"] == "tiny_rcvbuf"


# ---- what both ends do

BULK = {0: {0: 600, 20: 300, 100: 150, 300: 100}, 1: {0: 300, 20: 150, 100: 80, 300: 50},
        5: {0: 150, 20: 80, 100: 40, 300: 24}, 15: {0: 40, 20: 30, 100: 16, 300: 10}}   # KB
SINGLE = {0: 2000, 20: 300, 100: 100, 300: 40}      # writes of one byte
ROUNDS = {0: 200, 20: 30, 100: 10, 300: 4}
HELLO = 16
PING = 64


def bulk(case):
    if "bytes" in case:
        return case["bytes"]
    n = BULK[case["loss"]][case["rtt"]] * 1000
    return n // 5 if small_window(case) else n


def roles(case):
    """(ours, theirs): options of matrix_end and matrix_peer, before who opens is looked at."""
    n, one = bulk(case), SINGLE[case["rtt"]] // (1 + (case["loss"] == 15))
    rounds = max(2, ROUNDS[case["rtt"]] // (1 + case["loss"] // 5)) * PING
    return {
        "bulk_up": ({"fin_last": 1}, {"send": n}),
        "bulk_down": ({"send": n}, {"fin_last": 1}),
        "ping_pong": ({"send": rounds, "fin_after": rounds}, {"send": rounds, "fin_after": rounds, "nodelay": 1}),
        "one_byte": ({"send": one, "piece": 1, "fin_after": one},
                     {"send": one, "piece": 1, "fin_after": one, "nodelay": 1}),
        "half_close_ours_first": ({"send": n // 2}, {"send": n // 2, "wait_fin": 1, "fin_last": 1}),
        "half_close_theirs_first": ({"send": n // 2, "wait_fin": 1, "fin_last": 1}, {"send": n // 2}),
        "reset_ours": ({"reset_after": n // 2, "fin_never": 1}, {"send": ENDLESS}),
        "reset_theirs": ({"send": ENDLESS}, {"reset_after": n // 2, "fin_never": 1}),
        "linger0": ({"send": n // 2, "fin_after": n // 2}, {"send": n // 2, "fin_last": 1, "reset_at_last": 1}),
        "tiny_rcvbuf": ({"send": n}, {"fin_last": 1, "rcvbuf": 2048, "read_piece": 700, "read_us": 2000}),
        "kill9": ({"send": ENDLESS}, {"kill_after": n // 2, "fin_never": 1}),
        "cork": ({"fin_last": 1}, {"send": n, "piece": 700, "cork": 1}),
        "oob": ({"send": n // 4, "fin_last": 1}, {"send": n // 2, "oob": 1000, "fin_after": n // 4}),
        "slow_ours": ({"fin_last": 1, "read_piece": 1500, "read_us": 4000}, {"send": n}),
    }[case["workload"]]


def plays(case):
    ours, theirs = (dict(role) for role in roles(case))
    opener, other = (ours, theirs) if case["opens"] == "ours" else (theirs, ours)
    if case["workload"] == "ping_pong":
        opener["ahead"], other["ahead"] = PING, 0
    else:
        # who opens speaks first, as a client of TLS does: we accept nobody who is silent (TCP.md 5.4)
        opener["send"] = max(opener.get("send", 0), HELLO)
        opener["hello"] = HELLO
        other["wait"] = HELLO
        if other.get("send", 0) == 0:
            other["wait"] = 0
        if "piece" in other and other["piece"] == 1:
            other["ahead"] = 2 * HELLO      # in step, so that the bytes stay single ones
            opener["ahead"] = 2 * HELLO
    for role in (ours, theirs):
        role["v6"] = int(case["family"] == "v6")
        role["seed"] = seed_of(case)
        role["seconds"] = seconds(case)
    opener["connect"] = 1
    if "buffer" in case:
        ours["buffer"] = case["buffer"]
    theirs["congestion"] = CONGESTION[case["congestion"]]
    return ours, theirs


def seconds(case):
    """A case that takes longer hangs."""
    return 20 if clean(case) else 75


def wirebox(case):
    """Options of the wirebox, or None: the interfaces are joined without one."""
    if clean(case) and case["rtt"] == 0:
        return None
    options = ["--seed", str(seed_of(case))]
    if case["loss"] > 0:
        options += ["--loss", str(case["loss"] / 100)]
    if case["reorder"] > 0:
        options += ["--reorder", str(case["reorder"] / 100)]
    if case["rtt"] > 0:
        options += ["--delay", f"{case['rtt'] * 0.45:g}-{case['rtt'] * 0.55:g}"]
    return options


# ---- what must come of it

def whole(sender, receiver):
    return (sender["sent"], sender["sent_hash"]) == (receiver["received"], receiver["received_hash"])


def wrong_ends(case, ours, theirs):
    """Sentences about what did not end as it should."""
    work = case["workload"]
    faults = []
    if work == "kill9":
        if theirs is not None:
            faults.append(f"their end was not killed: {theirs['end']}")
        if ours["end"] != RESET:
            faults.append(f"our end: {ours['end']}")
        return faults
    if theirs is None:
        return ["their end said nothing"]
    expected = {"reset_ours": ((ABORTED,), KERNEL_RESET), "reset_theirs": ((RESET,), ("reset by this side",)),
                "linger0": ((RESET,), ("closed by reset",))}.get(work, ((IN_ORDER,), ("closed",)))
    if work == "linger0" and case["loss"] > 0:
        expected = ((RESET, SILENT), expected[1])   # their reset may be lost, and nobody has anything to say after it
    if ours["end"] not in expected[0]:
        faults.append(f"our end: {ours['end']}")
    if theirs["end"] not in expected[1]:
        faults.append(f"their end: {theirs['end']}")
    return faults


def wrong_data(case, ours, theirs):
    faults = [f"{who} end received wrong bytes" for who, end in (("our", ours), ("their", theirs))
              if end is not None and end["wrong"]]
    if case["workload"] in ("reset_ours", "reset_theirs", "kill9") or theirs is None:
        return faults
    if not whole(ours, theirs):
        faults.append(f"they received {theirs['received']} of our {ours['sent']} bytes")
    if not whole(theirs, ours):
        faults.append(f"we received {ours['received']} of their {theirs['sent']} bytes")
    planned_ours, planned_theirs = plays(case)
    if ours["sent"] != planned_ours.get("send", 0) or theirs["sent"] != planned_theirs.get("send", 0):
        faults.append("not all was sent")
    return faults


def allowed(case):
    """Counters of the kernel and how far each may go; what is not named may go anywhere."""
    resets = case["workload"] in ("reset_ours", "reset_theirs", "kill9", "linger0")
    late = not clean(case)
    most = {name: 0 for name in (
        "TCPSACKReneging", "PAWSActive", "TSEcrRejected", "OutOfWindowIcmps", "InCsumErrors", "TCPAbortOnTimeout",
        "TCPAbortFailed", "TCPMD5Unexpected", "TCPMinTTLDrop", "TCPFastOpenPassive",
        "TCPAORequired", "InHdrErrors", "InAddrErrors", "InUnknownProtos", "Ip6InHdrErrors", "Ip6InAddrErrors",
        "Icmp6InErrors", "IcmpInErrors", "IcmpInCsumErrors")}
    if not resets:
        most |= dict.fromkeys(("EstabResets", "AttemptFails", "TCPAbortOnData", "TCPAbortOnClose",
                               "TCPAbortOnLinger"), 0)
        most["OutRsts"] = 2 if late else 0  # what comes after all is over
    if not late:
        # a stall of this machine may look like a loss now and then, but not more often
        most |= {"PAWSEstab": 0, "TCPSYNChallenge": 0, "InErrs": 0, "TCPOFOQueue": 10,
                 "TCPDSACKOldSent": 10, "TCPDSACKOfoSent": 2, "TCPDSACKRecv": 15, "TCPTimeouts": 3,
                 "TCPLostRetransmit": 1,
                 "TCPSynRetrans": 0, "SyncookiesFailed": 0}
    # a SYN-ACK or RST that comes late is challenged, and our resets may be beyond what was lost before them
    most["TCPChallengeACK"] = 2 + 2 * resets if late else int(resets)
    if not small_window(case):
        most |= {"BeyondWindow": 2 if late else 0, "TCPZeroWindowDrop": 0, "TCPRcvQDrop": 0, "TCPOFODrop": 0}
    return most


def wrong_counters(case, counters):
    return [f"{name} {counters[name]}, at most {most} expected" for name, most in allowed(case).items()
            if counters.get(name, 0) > most]


def cookie_refused(case, played):
    """A kernel that sends cookies knows a connection by the first segment behind its SYN-ACK alone: when that is lost or
    late, it resets us."""
    return case["syncookies"] == 2 and case["opens"] == "ours" and not clean(case) and \
        played["counters"].get("SyncookiesFailed", 0) > 0 and played["ours"]["end"] == RESET and \
        played["ours"]["received"] == 0


def wrong(case, played):
    """Why a case has failed: sentences; empty for a good one."""
    if played.get("broken"):
        return [played["broken"]]
    ours, theirs = played["ours"], played["theirs"]
    if cookie_refused(case, played):
        return wrong_data(case | {"workload": "kill9"}, ours, theirs)
    faults = wrong_ends(case, ours, theirs) + wrong_data(case, ours, theirs)
    faults += wrong_counters(case, played["counters"])
    if played["left"]:
        faults.append("the kernel's side is not closed: " + ", ".join(played["left"]))
    if played["strange"]:
        faults.append(f"{played['strange']} callbacks that should not have come")
    if played["exit"] != 0:
        faults.append(f"matrix_end ended with {played['exit']}: {played['log']}")
    return faults
