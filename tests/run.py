#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every test, prints what failed and why, and ends with "N passed, N failed" alone on a line."""
import glob
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CMOCKA_OK = re.compile(r"^\[ +OK \] (\S+)", re.M)
CMOCKA_FAILED = re.compile(r"^\[ +FAILED +\] ([a-z]\w+)$", re.M)
SCRIPT_OK = re.compile(r"^ok (.+)$", re.M)
SCRIPT_FAILED = re.compile(r"^FAIL (.+)$", re.M)

SCRIPT_TOOK = re.compile(r"^took ([0-9.]+) s (.+)$", re.M)
LONGEST = 10

# build folder, its meson options, and which suites run there: none said, all
BUILDS = {
    "build": (["--buildtype=release", "-Dtests=true"], []),
    "build-asan": (["-Ddebug=true", "-Doptimization=1", "-Db_sanitize=address,undefined",
                    "-Db_lundef=false"], ["unit", "fuzz", "sanitize", "wire"]),
    "build-tsan": (["--buildtype=debugoptimized", "-Db_sanitize=thread", "-Db_lundef=false"], ["race"]),
}
# What computes and waits for no clock: it runs behind the scripts, which wait more than they compute. First what others
# need, last what takes longest
BESIDE = {"build-asan": ["fuzz", "sanitize"], "build-tsan": [], "build": ["sim", "sanitize"]}
# A process that takes what the others leave of the processors, and a tenth of its share where they leave nothing: with
# its session, where shares are those of sessions
SESSION_BEHIND = ["sh", "-c", '{ echo 10 >/proc/self/autogroup; } 2>/dev/null; exec "$@"', "behind"]
BEHIND = ["nice", "-n", "10", *SESSION_BEHIND]
# Times as long as is enough where nothing else runs: here builds and simulations run behind, on any machine
PATIENCE = "4"
PATIENT = ["env", f"WICGATE_E2E_PATIENCE={PATIENCE}", "WICGATE_E2E_SCRIPT_S=900"]
SCRIPTS = [
    ("e2e", [*PATIENT, "node", "tests/e2e/run.mjs"]),
    # once more, each in one of its worlds, with every byte and every block looked at: a leak makes the gateway's exit
    # code wrong. Browsers and large numbers say the same to it as scripts that need less time
    ("e2e-asan", [*PATIENT, "WICGATE_BUILD=" + os.path.join(TOP, "build-asan"), "node", "tests/e2e/run.mjs", "--one-world",
                  "--without=pages", "--without=accounted-for", "--without=survives-a-network", "--without=dies-costs"]),
    # TCP against the kernel's, with every byte and every block looked at
    ("matrix", ["env", "WICGATE_BUILD=" + os.path.join(TOP, "build-asan"), "python3", "-B", "tests/matrix/matrix.py"]),
    ("churn", ["tests/load/churn.sh", "--short"]),
    ("pool", ["tests/load/pool.sh", "--short"]),
]
# Whose suites end before a script begins: it needs what is built there, or, as matrix and what follows, is measured
# against the kernel
BEFORE = {"e2e-asan": ["build-asan", "build-tsan"], "matrix": ["build"]}


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.took = []  # seconds, and what

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.took += other.took

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


class Front:
    """How commands are run: as usual."""
    wrapper = []

    def run(self, command, **more):
        return subprocess.run(command, cwd=TOP, **more).returncode == 0


class Behind:
    """How commands are run: behind all others, until they are told to end."""
    wrapper = ["--wrapper", shlex.join(SESSION_BEHIND)]  # each test has a session of its own

    def __init__(self):
        self.child = None

    def run(self, command, **more):
        self.child = subprocess.Popen(BEHIND + command, cwd=TOP, start_new_session=True, **more)
        return self.child.wait() == 0

    def end(self):
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGTERM)


def build_folder(way, folder):
    """All of it, or, where one suite alone runs, what that needs: nothing else of such a build is used."""
    options, suites = BUILDS[folder]
    command = ["tests/build.sh", folder, *options]
    if len(suites) != 1:
        return way.run(command)
    return way.run(command, env={**os.environ, "TARGETS": "build.ninja"}) and \
        way.run(command, env={**os.environ, "TARGETS": needed(folder, suites)})


def run_build(tally, way, folder):
    begun = time.time()
    built = build_folder(way, folder)
    tally.one(f"{folder} builds without a warning", built)
    say(f"{folder}: built in {time.time() - begun:.0f} s")
    return built


def run_suites(tally, way, folder, suites, without):
    begun = time.time()
    name = "-".join(suites) or "rest"
    logs = os.path.join(TOP, folder, "meson-logs", f"{name}*.json")  # meson names the wrapper too
    for log in glob.glob(logs):
        os.remove(log)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--num-processes", "2", "--logbase", name,
               "-t", PATIENCE, *way.wrapper]
    for option, these in ("--suite", suites), ("--no-suite", without):
        command += [word for suite in these for word in (option, suite)]
    way.run(command, stdout=subprocess.DEVNULL)
    before = tally.passed
    if not glob.glob(logs):
        tally.one(f"{folder}: no test of {name} ran", False)
    for log in glob.glob(logs):
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                test = json.loads(line)
                count_program(tally, folder, test, test.get("stdout", "") + test.get("stderr", ""))
                tally.took.append((test["duration"], f"{folder}: {test['name']}"))
    say(f"{folder}: {name}: {tally.passed - before} passed in {time.time() - begun:.0f} s")


class Beside:
    """What runs behind the rest, and when a folder is free for what is to run there in front."""

    def __init__(self, folders):
        self.tally = Tally()
        self.way = Behind()
        self.built = {"build": True}
        self.ended = {"build"}
        self.free = {folder: threading.Event() for folder in folders}
        self.thread = threading.Thread(target=self.run, args=(folders,), daemon=True)

    def run(self, folders):
        try:
            for folder in [folder for folder in BESIDE if folder in folders]:
                self.run_folder(folder, BESIDE[folder])
                self.free[folder].set()
        finally:
            for event in self.free.values():
                event.set()

    def run_folder(self, folder, suites):
        if folder not in self.built:
            self.built[folder] = run_build(self.tally, self.way, folder)
        if self.built[folder] and suites:
            run_suites(self.tally, self.way, folder, suites, [])

    def wait_for(self, folder):
        """True: it is built, and nothing of it runs here any more."""
        self.free[folder].wait()
        return self.built.get(folder, False)

    def end(self):
        self.way.end()


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
    tally.took += [(float(seconds), f"{name}: {script}") for seconds, script in SCRIPT_TOOK.findall(done.stdout)]
    say(f"{name}: {len(ok)} passed in {time.time() - begun:.0f} s")


def run_rest(tally, folder):
    run_suites(tally, Front(), folder, [suite for suite in BUILDS[folder][1] if suite not in BESIDE[folder]],
               BESIDE[folder])


def run_rests(tally, beside, folders):
    """Of the folders that were chosen, each once; that of "build" has run by then."""
    for folder in folders:
        if folder in beside.free and beside.wait_for(folder) and folder not in beside.ended:
            run_rest(tally, folder)
        beside.ended.add(folder)


def run_all(tally, folders, scripts):
    beside = Beside(folders)
    if "build" in folders:
        beside.built["build"] = run_build(tally, Front(), "build")
        if beside.built["build"]:
            run_rest(tally, "build")
    beside.thread.start()
    try:
        for name, command in scripts.items():
            run_rests(tally, beside, BEFORE.get(name, []))
            run_script(tally, name, command)
        run_rests(tally, beside, folders)
    finally:
        beside.end()
    tally.add(beside.tally)


def main():
    tally = Tally()
    chosen = sys.argv[1:]
    run_all(tally, [folder for folder in BUILDS if not chosen or folder in chosen],
            {name: command for name, command in SCRIPTS if not chosen or name in chosen})
    for seconds, name in sorted(tally.took, reverse=True)[:LONGEST]:
        say(f"took {seconds:.0f} s: {name}")
    for name in tally.failed:
        say(f"failed: {name}")
    say(f"{tally.passed} passed, {len(tally.failed)} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
