#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tcp_rules.py TOP ARCHIVE: what TCP on packets may ask of the system (TCP.md 4.2: no clock, no randomness, memory at the start
only), how it compares sequence numbers (5.5), and how long it may be. ARCHIVE is the layer's static library."""
import os
import re
import subprocess
import sys

# beside the project's own functions: memory of *_new and *_open, copying, and what the compiler, DPDK's pools and a text need
ALLOWED = {"calloc", "free", "memcpy", "memmove", "memset", "memcmp", "strlen", "strncpy", "snprintf", "explicit_bzero",
           "rte_pktmbuf_pool_create", "rte_mempool_free", "rte_mempool_in_use_count", "rte_mempool_ops_table",
           "per_lcore__lcore_id", "__tls_get_addr", "__rte_panic"}
COMPILER = re.compile(r"^(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__asan_\w+|__ubsan_\w+|__tsan_\w+|__gcov_\w+|__llvm_\w+|\.?refptr.*)$")
CHECKED = re.compile(r"^__(\w+)_chk$")
OURS = re.compile(r"^(tcp|receive|ooo|recovery|handshake|mini|source|time_wait|congestion|path|secret|trace|cookie|scoreboard|rack|"
                  r"episode|loss_timer|stack|black_box|net|slots|wheel|ip_address|endpoint|siphash|gw_err|span|counter|packet)"
                  r"(_\w+)?$")
# glue between the layer and its neighbours, or for operators: not the protocol
OUTSIDE = {"packets.c", "black_box.c", "limits.c"}
SIGNED = re.compile(r"\(int32_t\)|\(int\)")
SIGNED_AT_HOME = {"tcb.h"}  # seq_before(), seq_after(); deadlines in tcp.c are times
LINES_MOST = 4600  # of protocol, without blank lines and comments: a rule that is added takes one away


def foreign(archive):
    out = subprocess.run(["nm", "-u", archive], capture_output=True, text=True, check=True).stdout
    for name in sorted({line.split()[-1] for line in out.splitlines() if " U " in line}):
        checked = CHECKED.match(name)
        name = checked.group(1) if checked else name
        if name not in ALLOWED and not COMPILER.match(name) and not OURS.match(name):
            yield name


def code(path):
    with open(path, encoding="utf-8") as text:
        bare = re.sub(r"/\*.*?\*/", lambda found: "\n" * found.group().count("\n"), text.read(), flags=re.S)
    return [(number, line) for number, line in enumerate(bare.split("\n"), 1) if line.strip()]


def main(top, archive):
    folder = os.path.join(top, "dataplane", "tcp")
    names = sorted(name for name in os.listdir(folder) if name.endswith((".c", ".h")) and not name.startswith("posix"))
    problems = [f"the layer uses {name}()" for name in foreign(archive)]
    lines = 0
    for name in names:
        text = code(os.path.join(folder, name))
        if name.endswith(".c") and name not in OUTSIDE:
            lines += len(text)
        for number, line in text:
            if SIGNED.search(line) and name not in SIGNED_AT_HOME and not re.search(r"_ms\b", line):
                problems.append(f"{name}:{number}: sequence numbers are compared by seq_*() only: {line.strip()}")
    if lines > LINES_MOST:
        problems.append(f"{lines} lines, {LINES_MOST} are allowed")
    for problem in problems:
        print(f"tcp: {problem}")
    print(f"tcp: {lines} lines of protocol, at most {LINES_MOST}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
