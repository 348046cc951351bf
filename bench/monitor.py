"""What a status command and the resource agent's whole monitor cost, beside others: `python bench/monitor.py`.

A small suite really runs under `jbs_start.cluster`, a Manager with an IM database under `jco_start.cluster`, one
service under s6-supervise, ten programs under supervisord, a PostgreSQL server under none, which the agent
`ocf:heartbeat:pgsql` looks at. Every round asks each of them once, so that all see the same machine: first as it is,
then beside `--load` busy loops.
"""

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bansho.cluster.install import OUR_COMMANDS, install
from bansho.database.instance import create
from bansho.logicalhost import definition

sys.path.append(str(Path(__file__).parents[1]))
from bench import figures, pgsql
from bench.figures import Budget, Rows

HOST, DATABASE_HOST = "bench", "bench-db"
SERVICE = "import signal; from bansho.process.notify import notify; notify('READY=1'); signal.sigwait({signal.SIGTERM})"
SUITE = f"""\
suite = "base"
[[service]]
name = "idle"
command = ["{{python}}", "-c", "{SERVICE}"]
"""
MANAGER = """\
suite = "manager"
[[service]]
name = "imdb"
run-folder = "database"
command = ["{python}", "-m", "bansho.database.controller"]
start-limit = 60.0
watchdog = 10.0
stop-limit = 40.0
"""
SUPERVISOR = """\
[unix_http_server]
file={root}/sock
[supervisord]
logfile={root}/log
pidfile={root}/pid
user=root
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{root}/sock
[program:idle]
command=sleep infinity
numprocs=10
process_name=%(process_num)d
"""


class Contender(NamedTuple):
    """A command line to measure, and the budget: how many times what of another contender."""

    name: str
    command: list[str]
    environment: dict[str, str]
    budget: tuple[float, str] | None = None


@contextmanager
def running(command: list[str], ready: list[str]) -> Iterator[None]:
    """A program that runs meanwhile, once `ready` succeeds."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while subprocess.run(ready, capture_output=True, check=False).returncode:
            if time.monotonic() > end:
                sys.exit(f"{command[0]} does not come up: {' '.join(ready)} fails")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def define(root: Path, host: str, suite: str, text: str) -> tuple[dict[str, str], dict[str, str]]:
    """A logical host with one suite: the environment of its commands, and of the agent's monitor."""
    shared, etc = root / host, root / "etc/logical-hosts"
    for folder in (shared / "conf", shared / "log", etc, root / "run"):
        folder.mkdir(parents=True, exist_ok=True)
    (etc / f"{host}.toml").write_text(f'name = "{host}"\nshared-directory = "{shared}"\n')
    (shared / f"conf/{suite}.toml").write_text(text)
    os.environ |= {"BANSHO_ETC": str(root / "etc"), "BANSHO_RUN": str(root / "run")}
    environment = dict(os.environ)
    parameters = {"host": host, "suite": suite, "directory": str(shared), "CRM_meta_interval": "10000"}
    if suite == "manager":
        parameters["database"] = "true"
    return environment, {**environment, **{f"OCF_RESKEY_{name}": value for name, value in parameters.items()}}


@contextmanager
def started(prefix: str, host: str, environment: dict[str, str]) -> Iterator[None]:
    """The suite runs meanwhile, started by its command."""

    def order(name: str, *, check: bool = False) -> None:
        command = [str(OUR_COMMANDS / f"{prefix}_{name}.cluster"), host]
        subprocess.run(command, env=environment, check=check, capture_output=True)

    try:
        order("start", check=True)
        yield
    finally:
        order("stop")
        order("killall")


@contextmanager
def ours(root: Path) -> Iterator[list[Contender]]:
    """Our suite."""
    environment, agent = define(root, HOST, "base", SUITE)
    status = [str(OUR_COMMANDS / "jbs_spmd_status"), "-h", HOST]
    monitor = [str(install(root, OUR_COMMANDS)), "monitor"]
    with started("jbs", HOST, environment):
        yield [
            Contender("status command", status, environment, (2, "s6-svstat")),
            Contender("agent's monitor", monitor, agent, (3, "s6-svstat")),
            Contender("status, Python path", [*status, "--json"], environment, (1.5, "python3 -I -S -c pass")),
        ]


@contextmanager
def our_database(root: Path) -> Iterator[list[Contender]]:
    """Our Manager with its IM database."""
    environment, agent = define(root, DATABASE_HOST, "manager", MANAGER)
    create(definition.load(DATABASE_HOST))
    status = [str(OUR_COMMANDS / "jimdbstatus"), "-h", DATABASE_HOST]
    monitor = [str(install(root, OUR_COMMANDS)), "monitor"]
    with started("jco", DATABASE_HOST, environment):
        yield [
            Contender("jimdbstatus", status, environment, (2, "s6-svstat")),
            Contender("monitor with database", monitor, agent, (3, "s6-svstat")),
            Contender("jimdbstatus, Python path", [*status, "--json"], environment, (1.5, "python3 -I -S -c pass")),
        ]


@contextmanager
def s6(root: Path) -> Iterator[list[Contender]]:
    """One service under s6."""
    service = root / "s6"
    service.mkdir()
    run = service / "run"
    run.write_text("#!/bin/sh\nexec sleep 1000000\n")
    run.chmod(0o755)
    status = ["s6-svstat", str(service)]
    with running(["s6-supervise", str(service)], status):
        yield [Contender("s6-svstat", status, dict(os.environ))]
        subprocess.run(["s6-svc", "-d", "-wd", str(service)], check=False)


@contextmanager
def supervisor(root: Path) -> Iterator[list[Contender]]:
    """Ten programs under supervisord."""
    folder = root / "supervisor"
    folder.mkdir()
    configuration = folder / "conf"
    configuration.write_text(SUPERVISOR.format(root=folder))
    status = ["supervisorctl", "-c", str(configuration), "status"]
    with running(["supervisord", "-n", "-c", str(configuration)], status):
        yield [Contender("supervisorctl status", status, dict(os.environ))]


@contextmanager
def load(loops: int) -> Iterator[None]:
    """Busy loops meanwhile."""
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def measure(contenders: list[Contender], rounds: int) -> dict[str, list[float]]:
    """Contender -> milliseconds of each round. A contender that does not succeed ends the bench.

    Each round has another order: on a busy node it matters how long the one before has taken.
    """
    times: dict[str, list[float]] = {each.name: [] for each in contenders}
    shuffled = random.Random(0)
    for _ in range(rounds):
        for each in shuffled.sample(contenders, len(contenders)):
            begun = time.perf_counter()
            done = subprocess.run(each.command, env=each.environment, stdout=-3, stderr=-3, check=False)
            times[each.name].append((time.perf_counter() - begun) * 1000)
            if done.returncode:
                sys.exit(f"{each.name}: {' '.join(each.command)} returned {done.returncode}")
    return times


def summary(contenders: list[Contender], times: dict[str, list[float]], when: str) -> tuple[Rows, list[Budget]]:
    """A row each: median and 95th percentile in milliseconds; and what the medians are to their peers'. Pure."""
    median = {name: statistics.median(each) for name, each in times.items()}
    rows = [
        {"what": name, "when": when, "median": median[name], "p95": statistics.quantiles(each, n=20)[18], "unit": "ms"}
        for name, each in times.items()
    ]
    budgets = [
        Budget(
            f"{each.name}, {when}", median[each.name] / median[each.budget[1]], each.budget[0], f"x {each.budget[1]}"
        )
        for each in contenders
        if each.budget
    ]
    return rows, budgets


def lines(rows: Rows) -> list[str]:
    """The rows for a person."""
    head = f"{'':26}{'':16}{'median ms':>10}{'p95 ms':>9}"
    return [head, *(f"{row['what']:26}{row['when']:16}{row['median']:10.2f}{row['p95']:9.2f}" for row in rows)]


@contextmanager
def all_contenders(root: Path) -> Iterator[list[Contender]]:
    """Everybody, running."""
    found = [
        Contender("/bin/true", ["/bin/true"], dict(os.environ)),
        Contender("python3 -I -S -c pass", [sys.executable, "-I", "-S", "-c", "pass"], dict(os.environ)),
    ]
    with ExitStack() as stack:
        for peer, program in ((s6, "s6-svstat"), (supervisor, "supervisorctl")):
            if not shutil.which(program):
                sys.exit(f"{program}: no such program; scripts/setup bench installs it")
            found += stack.enter_context(peer(root))
        found.append(Contender("ocf:heartbeat:pgsql", *stack.enter_context(pgsql.monitored(root))))
        yield found + stack.enter_context(ours(root)) + stack.enter_context(our_database(root))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--load", type=int, default=8 * (os.cpu_count() or 1), help="busy loops of the loaded part")
    figures.argument(parser)
    arguments = parser.parse_args()
    rows: Rows = []
    budgets: list[Budget] = []
    with ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        contenders = stack.enter_context(all_contenders(root))
        for loops in (0, arguments.load):
            with load(loops):
                times = measure(contenders, arguments.rounds if not loops else max(2, arguments.rounds // 4))
            more, kept = summary(contenders, times, f"{loops} busy loops" if loops else "idle")
            figures.say(arguments.json, *lines(more))
            rows, budgets = rows + more, budgets + kept
    figures.finish(rows, budgets, arguments.json)


if __name__ == "__main__":
    main()
