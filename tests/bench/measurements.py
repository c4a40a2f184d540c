"""measurements.py - what is measured, against which baseline, and with which target.

A function of a row returns a dict with `figure` and, where there is one, `baseline` in the same
unit, from one run of each; or None where this build lacks what it measures. Figures in "ns" are
processor time of one process; those in "ms" are real time from the start of a program to its end.
"""

import dataclasses
import json
import os
import pathlib
import sqlite3
import subprocess
import time
from typing import Callable, Optional

HERE = pathlib.Path("tests/bench")


class Bench:
    """The programs, and a folder for what they write."""

    def __init__(self, programs, work, quick):
        self.poolproof = str(programs / "poolproof")
        self.bench = str(programs / "poolproof-bench")
        self.work = work
        self.quick = quick

    def version(self):
        return subprocess.run(
            [self.poolproof, "--version"], check=True, capture_output=True, text=True
        ).stdout.strip()

    def least(self, full, quick):
        return quick if self.quick else full

    def measure(self, *arguments):
        """One start of poolproof-bench."""
        done = subprocess.run(
            [self.bench, *map(str, arguments)], check=True, capture_output=True, text=True
        )
        return json.loads(done.stdout)

    def run(self, *arguments, status=0):
        """One start of poolproof: real seconds, processor seconds, and the most memory (bytes) that
        one of its processes had."""
        output = self.work / "output"
        with open(output, "wb") as file:
            begin = time.perf_counter()
            process = subprocess.Popen(
                [self.poolproof, *map(str, arguments)], stdout=file, stderr=file
            )
            _, ended, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(ended)
        if process.returncode != status:
            raise SystemExit(
                f"bench.py: expected status {status} of {process.args}; found "
                f"{process.returncode}:\n{output.read_text(errors='replace')}"
            )
        return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024

    def recorded(self, name, *paths, command=("run",)):
        """Runs into a fresh database: real seconds, processor seconds, the database's path."""
        database = self.work / f"{name}.db"
        database.unlink(missing_ok=True)
        seconds, processor, _ = self.run(*command, "--quiet", "--db", database, *paths)
        return seconds, processor, database

    def scenario(self, name, **changes):
        """A copy of the scenario of the load, with other members at the top."""
        scenario = json.loads((HERE / "load.json").read_text(encoding="utf-8"))
        scenario["name"] = name
        scenario.update(changes)
        path = self.work / f"{name}.json"
        path.write_text(json.dumps(scenario), encoding="utf-8")
        return path


@dataclasses.dataclass
class Row:
    name: str
    unit: str
    target: Optional[float]
    better: str  # "lower" or "higher"
    baseline: str  # what it is
    measure: Callable
    ratio_target: Optional[float] = None  # of the figure to its baseline


@dataclasses.dataclass
class Growth:
    file: str
    title: str
    x_label: str
    y_label: str
    series: list
    powers: tuple  # of ten: the first and the last size

    def sizes(self, quick):
        first, last = self.powers
        return [10**power for power in range(first, min(last, first + 1) + 1 if quick else last + 1)]


# ---- The pool --------------------------------------------------------------------------------


def per_operation(bench, *arguments):
    result = bench.measure(*arguments)
    operations = result["operations"]
    return {
        "figure": result["ns"] / operations,
        "baseline": result["baseline_ns"] / operations,
        "allocations": result["allocations"] / operations,
    }


def try_acquire(conns, accounts=1, which="one"):
    def measure(bench):
        few = bench.least(accounts, min(accounts, 1000))
        rounds = bench.least(3000000, 10000)
        return per_operation(bench, "try-acquire", conns, few, which, rounds)

    return measure


def queued_acquire(bench):
    return per_operation(bench, "queued-acquire", 16, 4, bench.least(3000000, 10000))


def conn_memory(bench):
    result = bench.measure("conn-memory", bench.least(1000000, 1000), bench.least(100000, 100))
    return {"figure": result["bytes"] / result["conns"]}


# ---- The simulator ---------------------------------------------------------------------------


def simulated_events(bench):
    path = bench.scenario("bench-load", load=load_for(bench.least("5m", "1s")))
    result = bench.measure("simulation", path)
    return {
        "figure": result["operations"] / result["ns"] * 1e3,
        "baseline": result["operations"] / result["baseline_ns"] * 1e3,
    }


def load_for(duration):
    scenario = json.loads((HERE / "load.json").read_text(encoding="utf-8"))
    return [{**scenario["load"][0], "for": duration}]


def count(database, sql):
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


def recorded_events(bench):
    """Eight runs of the load, two workers, one database."""
    path = bench.scenario(
        "bench-recorded",
        load=load_for(bench.least("5m", "1s")),
        matrix={"seed": list(range(1, bench.least(9, 3)))},
    )
    seconds, processor, database = bench.recorded("recorded", path)
    events = count(database, "select count(*) from event")
    bare = bench.measure("insertion", database)
    return {
        "figure": events / seconds / 1e6,
        "baseline": events / bare["indexed_wall_ns"] * 1e3,
        "processor_s": processor,
    }


def accounts_simulated(bench):
    """100 000 accounts with 10 conns each, by prewarm."""
    accounts = bench.least(100000, 100)
    scenario = {
        "name": "bench-accounts",
        "background": False,
        "config": {"min_idle_per_account": 10, "max_idle_per_account": 10,
                   "max_conns_per_account": 10},
        "accounts": [{"id": i + 1, "type": "api_key"} for i in range(accounts)],
        "steps": [{"ensure_target_idle": {"account": i + 1,
                                          "url": "wss://example.com/v1/responses"}}
                  for i in range(accounts)],
        "expect": [{"upstream": "default", "open": accounts * 10}],
    }
    path = bench.work / "accounts.json"
    path.write_text(json.dumps(scenario), encoding="utf-8")
    _, _, memory = bench.run("run", "--quiet", "--no-db", "--jobs", "1", path)
    return {"figure": memory / 2**20}


def explored(bench):
    path = HERE / "four-actors.json"
    single = bench.measure("simulation", path)
    _, _, database = bench.recorded(
        "explored", path, command=("explore", "--strategy", "exhaustive", "--jobs", "1")
    )
    per_second = count(
        database, "select ifnull(orders, schedules) * 1e9 / wall_ns from exploration"
    )
    return {"figure": per_second / 1000, "baseline": 1e6 / single["ns"]}


# ---- The program -----------------------------------------------------------------------------


def started(bench):
    """The least that any command takes."""
    return bench.run("--version")[0] * 1e3


def not_recorded(path, quick=None):
    def measure(bench):
        paths = [bench.least(path, quick or path)]
        seconds, processor, _ = bench.run("run", "--quiet", "--no-db", *paths)
        return {"figure": seconds * 1e3, "baseline": started(bench), "processor_s": processor}

    return measure


def recorded(name, path, quick=None):
    def measure(bench):
        paths = [bench.least(path, quick or path)]
        seconds, processor, database = bench.recorded(name, *paths)
        bare = bench.measure("insertion", database)
        return {
            "figure": seconds * 1e3,
            "baseline": bare["indexed_wall_ns"] / 1e6,
            "processor_s": processor,
        }

    return measure


def day(bench):
    """One account, 5 acquires a second for 24 hours."""
    load = {"arrivals": {"poisson": "5/s"}, "for": bench.least("24h", "5m"),
            "hold": {"lognormal": ["300ms", "2.0"]}, "timeout": "5s"}
    path = bench.scenario("bench-day", config={}, load=[load])
    return recorded("day", path)(bench)


def html_report(bench):
    """Of a million events."""
    path = bench.scenario("bench-report", load=load_for(bench.least("10m", "1s")))
    _, _, database = bench.recorded("report", path)
    page = bench.work / "report.html"
    tried = subprocess.run([bench.poolproof, "report", str(database), "--html", str(page)],
                           check=False, capture_output=True, text=True)
    if "this build has no HTML page" in tried.stderr:
        return None
    seconds, processor, _ = bench.run("report", database, "--html", page)
    return {"figure": seconds * 1e3, "baseline": started(bench), "processor_s": processor}


LIST = "a mutex and a list of free conns"
LINE = "a mutex and a line of callers"
BARE = "bare SQLite inserts of the same rows"
START = "poolproof --version"
QUICK = "scenarios/behaviour/recorded-traffic.json"

ROWS = [
    Row("try_acquire and release, 8 conns", "ns", 40, "lower", LIST, try_acquire(8)),
    Row("the same, 64 conns", "ns", 40, "lower", LIST, try_acquire(64)),
    Row("the same, 10 000 conns", "ns", 80, "lower", LIST, try_acquire(10000)),
    Row("the same, one of 1 000 000 accounts", "ns", 80, "lower", LIST, try_acquire(1, 1000000)),
    Row("the same, another one of 1 000 000 accounts each time", "ns", None, "lower", LIST,
        try_acquire(1, 1000000, "all")),
    Row("acquire that queues, and the release that serves it; 16 callers, 4 conns", "ns", 150,
        "lower", LINE, queued_acquire),
    Row("memory of a pooled conn", "bytes", 256, "lower", "", conn_memory),
    Row("simulated events, not recorded, 64 conns", "million/s", 5, "higher",
        "copying and hashing the timeline", simulated_events),
    Row("simulated and recorded events, two workers", "million/s", None, "higher", BARE,
        recorded_events, ratio_target=0.8),
    Row("exhaustive exploration, four actors", "thousand schedules/s", 200, "higher",
        "runs from the start", explored),
    Row("1 000 000 conns of 100 000 accounts simulated", "MiB", 1024, "lower", "",
        accounts_simulated),
    Row("conformance folder, not recorded", "ms", 4, "lower", START,
        not_recorded("scenarios/conformance")),
    Row("conformance folder, recorded", "ms", 40, "lower", BARE,
        recorded("conformance", "scenarios/conformance")),
    Row("behaviour folder (hours of traffic), recorded", "ms", None, "lower", BARE,
        recorded("behaviour", "scenarios/behaviour", QUICK)),
    Row("an hour with an outage, not recorded", "ms", None, "lower", START,
        not_recorded("scenarios/behaviour/upstream-down-and-back.json", QUICK)),
    Row("a day of one account, 5 acquires a second, recorded", "ms", 1000, "lower", BARE, day),
    Row("report --html of a million events", "ms", 2000, "lower", START, html_report),
]


# ---- Growth ----------------------------------------------------------------------------------


def figure(measure):
    return lambda bench, size: measure(bench, size)["figure"]


def baseline(measure):
    return lambda bench, size: measure(bench, size)["baseline"]


def by_conns(bench, size):
    return per_operation(bench, "try-acquire", size, 1, "one", bench.least(1000000, 10000))


def by_accounts(which):
    return lambda bench, size: per_operation(
        bench, "try-acquire", 1, size, which, bench.least(1000000, 10000)
    )


def by_callers(bench, size):
    return per_operation(bench, "queued-acquire", size, 4, bench.least(1000000, 10000))


def memory_by_conns(bench, size):
    result = bench.measure("conn-memory", size, 1)
    return {"figure": result["bytes"] / size}


def load_of(size):
    return load_for(f"{size * 2}ms")  # 400 acquires a second, about 4 events each


def simulated_by_size(bench, size):
    path = bench.scenario("bench-growth", load=load_of(size))
    result = bench.measure("simulation", path)
    return {
        "figure": result["ns"] / result["operations"],
        "baseline": result["baseline_ns"] / result["operations"],
    }


def recorded_by_size(bench, size):
    path = bench.scenario("bench-growth", load=load_of(size))
    seconds, _, database = bench.recorded("growth", path)
    bare = bench.measure("insertion", database)
    events = count(database, "select count(*) from event")
    return {"figure": seconds * 1e9 / events, "baseline": bare["indexed_wall_ns"] / events}


GROWTHS = [
    Growth("try-acquire-by-conns", "try_acquire and release, by conns of the account", "conns",
           "ns", [("pool", figure(by_conns)), ("free list", baseline(by_conns))], (0, 6)),
    Growth("try-acquire-by-accounts", "try_acquire and release, by accounts", "accounts", "ns",
           [("always the same one", figure(by_accounts("one"))),
            ("another one each time", figure(by_accounts("all")))], (0, 6)),
    Growth("queued-acquire-by-callers", "acquire that queues, by callers on 4 conns", "callers",
           "ns", [("pool", figure(by_callers)), ("waiting line", baseline(by_callers))], (1, 6)),
    Growth("memory-by-conns", "memory of a pooled conn, by conns", "conns", "bytes a conn",
           [("pool", figure(memory_by_conns))], (2, 6)),
    Growth("simulation-by-events", "simulated, not recorded, by events", "events (about)",
           "ns an event", [("simulated", figure(simulated_by_size)),
                           ("copied and hashed", baseline(simulated_by_size))], (3, 7)),
    Growth("recording-by-events", "simulated and recorded, by events", "events (about)",
           "ns an event", [("poolproof run", figure(recorded_by_size)),
                           ("bare inserts", baseline(recorded_by_size))], (3, 7)),
]
