#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every test, prints what failed and why, and ends with "N passed, N failed" alone on a line."""
import json
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CMOCKA_OK = re.compile(r"^\[ +OK \] (\S+)", re.M)
CMOCKA_FAILED = re.compile(r"^\[ +FAILED +\] ([a-z]\w+)$", re.M)
SCRIPT_OK = re.compile(r"^ok (.+)$", re.M)
SCRIPT_FAILED = re.compile(r"^FAIL (.+)$", re.M)

# build folder, its meson options, and which suites run there
BUILDS = [
    ("build", ["--buildtype=release", "-Dtests=true"], []),
    ("build-asan", ["--buildtype=debugoptimized", "-Doptimization=1", "-Db_sanitize=address,undefined", "-Db_lundef=false"],
     ["unit", "fuzz", "sanitize", "wire"]),
    ("build-tsan", ["--buildtype=debugoptimized", "-Doptimization=1", "-Db_sanitize=thread", "-Db_lundef=false"], ["race"]),
]
SCRIPTS = [
    ("e2e", ["node", "tests/e2e/run.mjs"]),
    # once more, each in one of its worlds, with every byte and every block looked at: a leak makes the gateway's exit
    # code wrong. Browsers and large numbers say the same to it as scripts that need less time
    ("e2e-asan", ["env", "WICGATE_BUILD=" + os.path.join(TOP, "build-asan"), "node", "tests/e2e/run.mjs", "--one-world",
                  "--without=pages", "--without=accounted-for", "--without=survives-a-network", "--without=dies-costs"]),
    # TCP against the kernel's, with every byte and every block looked at
    ("matrix", ["env", "WICGATE_BUILD=" + os.path.join(TOP, "build-asan"), "python3", "-B", "tests/matrix/matrix.py"]),
    ("churn", ["tests/load/churn.sh", "--short"]),
    ("pool", ["tests/load/pool.sh", "--short"]),
]


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []

    def one(self, name, ok):
        if ok:
            self.passed += 1
        else:
            self.failed.append(name)


def say(text):
    print(text, flush=True)


def count_program(tally, folder, test, text):
    """A cmocka program counts by its sentences, a script by its ok and FAIL lines, anything else as one."""
    ok = CMOCKA_OK.findall(text) + SCRIPT_OK.findall(text)
    failed = sorted(set(CMOCKA_FAILED.findall(text))) + SCRIPT_FAILED.findall(text)
    for name in ok:
        tally.one(name, True)
    for name in failed:
        tally.one(f"{folder}: {name}", False)
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    if not ok and not failed:
        tally.one(f"{folder}: {test['name']}", good)
    elif not good and not failed:
        tally.one(f"{folder}: {test['name']} ({test['result']})", False)
    if not good:
        say(f"--- {folder}: {test['name']}: {test['result']}\n{text[-6000:]}")


def introspect(folder, what):
    return json.loads(subprocess.run(["meson", "introspect", folder, what], cwd=TOP, stdout=subprocess.PIPE,
                                     check=True).stdout)


def needed(folder, suites):
    """What the tests of these suites are made of."""
    ids = {name for test in introspect(folder, "--tests") for name in test["depends"]
           if any(suite.split(":")[-1] in suites for suite in test["suite"])}
    return " ".join(os.path.relpath(path, os.path.join(TOP, folder)) for target in introspect(folder, "--targets")
                    if target["id"] in ids for path in target["filename"])


def build_folder(folder, options, suites):
    """All of it, or, where one suite alone runs, what that needs: nothing else of such a build is used."""
    command = ["tests/build.sh", folder, *options]
    if len(suites) != 1:
        return subprocess.run(command, cwd=TOP).returncode == 0
    configured = subprocess.run(command, cwd=TOP, env={**os.environ, "TARGETS": "build.ninja"}).returncode == 0
    return configured and subprocess.run(command, cwd=TOP,
                                         env={**os.environ, "TARGETS": needed(folder, suites)}).returncode == 0


def run_build(tally, folder, options, suites):
    begun = time.time()
    built = build_folder(folder, options, suites)
    tally.one(f"{folder} builds without a warning", built)
    if not built:
        return
    log = os.path.join(TOP, folder, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.remove(log)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--num-processes", "2"]
    for suite in suites:
        command += ["--suite", suite]
    subprocess.run(command, cwd=TOP, stdout=subprocess.DEVNULL)
    before = tally.passed
    if not os.path.exists(log):
        tally.one(f"{folder}: no test ran", False)
        return
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            test = json.loads(line)
            count_program(tally, folder, test, test.get("stdout", "") + test.get("stderr", ""))
    say(f"{folder}: {tally.passed - before} passed in {time.time() - begun:.0f} s")


def run_script(tally, name, command):
    begun = time.time()
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace")
    ok, failed = SCRIPT_OK.findall(done.stdout), SCRIPT_FAILED.findall(done.stdout)
    for line in ok:
        tally.one(line, True)
    for line in failed:
        tally.one(f"{name}: {line}", False)
    if done.returncode != 0 and not failed or not ok and not failed:
        tally.one(f"{name}: exit {done.returncode}", False)
    if done.returncode != 0:
        say(f"--- {name}\n{done.stdout[-20000:]}")
    say(f"{name}: {len(ok)} passed in {time.time() - begun:.0f} s")


def main():
    tally = Tally()
    chosen = sys.argv[1:]
    for folder, options, suites in BUILDS:
        if not chosen or folder in chosen:
            run_build(tally, folder, options, suites)
    for name, command in SCRIPTS:
        if not chosen or name in chosen:
            run_script(tally, name, command)
    for name in tally.failed:
        say(f"failed: {name}")
    say(f"{tally.passed} passed, {len(tally.failed)} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
