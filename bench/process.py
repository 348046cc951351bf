"""What process management costs, beside others in the same run: `python bench/process.py`.

Fifty statuses at once; from a service's death to the record; forced termination of 200 processes that try to escape,
with a control group and without, and of one that the kernel holds; the start of a suite of 8; the daemon's idle CPU and
memory with 8 and with 500 services. One status alone, idle and under load, is `bench/monitor.py`. Every round asks each
contender once, in turns.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bansho.cluster.install import OUR_COMMANDS
from bansho.process import cgroup

sys.path.append(str(Path(__file__).parents[1]))
from bench import figures, monitor
from bench.figures import Budget, Rows
from bench.monitor import SUPERVISOR, load, running
from tests.commands import actor
from tests.commands.blocking_fs import Blocking

HOST, SUITE = "bench", "base"
PYTHON = [sys.executable, "-I", "-S", "-c"]
PROGRAM = """
import os, socket, sys
if "NOTIFY_SOCKET" in os.environ:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
elif sys.argv[1:]:
    os.write(int(sys.argv[1]), b"\\n")
    os.close(int(sys.argv[1]))
os.execvp("sleep", ["sleep", "infinity"])
"""
"""Ready as soon as it runs, and small from then on; tells ours by sd_notify, s6 by a newline on a descriptor."""
ACTOR = Path(actor.__file__)
"""Leaves children behind by every way that the tests know: double-forked, renamed, forking, stopped, traced..."""
LIMIT = 60.0
FEW = 3
"""Rounds of what takes seconds."""
QUIET = 0.1, 0.8
"""Seconds after a beat, one of which comes a second: from then on, for so long, nothing is due."""


class Ours:
    """A logical host of its own in a folder."""

    def __init__(self, root: Path, name: str) -> None:
        self.shared, etc = root / name, root / "etc/logical-hosts"
        for folder in (self.shared / "conf", self.shared / "log", etc, root / "run"):
            folder.mkdir(parents=True, exist_ok=True)
        definition = f'name = "{name}"\nkind = "physical"\nshared-directory = "{self.shared}"\nsuites = ["{SUITE}"]\n'
        (etc / f"{name}.toml").write_text(definition)
        self.name, self.record = name, root / "run" / name / SUITE / "record"
        self.environment = {**os.environ, "BANSHO_ETC": str(root / "etc"), "BANSHO_RUN": str(root / "run")}

    def write(self, program: str, count: int) -> None:
        """The suite file: `count` services that run `program`."""
        self.write_commands(*([*PYTHON, program] for _ in range(count)))

    def act(self, *acts: str) -> None:
        """The suite file: one service that does what `acts` say (tests/commands/actor.py)."""
        self.write_commands([*PYTHON[:-1], str(ACTOR), *acts])

    def write_commands(self, *commands: list[str]) -> None:
        """The suite file: a service a command."""
        tables = [
            f'[[service]]\nname = "s{number}"\ncommand = {json.dumps(command)}\n'
            for number, command in enumerate(commands)
        ]
        (self.shared / "conf" / f"{SUITE}.toml").write_text("\n".join([f'suite = "{SUITE}"', *tables]))

    def __call__(self, verb: str) -> float:
        """Milliseconds of one command; ends the bench where it fails."""
        return timed(self.command(verb), self.environment)

    def command(self, verb: str) -> list[str]:
        return [str(OUR_COMMANDS / f"jbs_{verb}"), self.name]

    def services(self) -> dict[str, dict[str, object]]:
        return {each["name"]: each for each in json.loads(self.record.read_text().splitlines()[2])["services"]}

    @property
    def manager(self) -> int:
        return int(self.record.read_text().split()[4])


def timed(command: list[str], environment: dict[str, str] | None = None) -> float:
    """Milliseconds of a command that must succeed."""
    begun = time.perf_counter()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)} returned {ended.returncode}: {ended.stderr}")
    return (time.perf_counter() - begun) * 1000


def until(true: Callable[[], bool]) -> float:
    """Milliseconds until something is true; looks all the time."""
    begun = time.perf_counter()
    while not true():
        if time.perf_counter() - begun > LIMIT:
            sys.exit("it never came true")
    return (time.perf_counter() - begun) * 1000


class Found:
    """What was measured so far."""

    def __init__(self, place: Path | None) -> None:
        self.place = place
        self.rows: Rows = []
        self.budgets: list[Budget] = []

    def line(self, what: str, times: list[float], note: str = "", unit: str = "ms") -> None:
        """A row: median, worst, note."""
        median, worst = statistics.median(times), max(times)
        self.rows.append({"what": what, "median": median, "worst": worst, "unit": unit, "note": note})
        figures.say(self.place, f"{what:50}{median:10.1f}{worst:9.1f} {unit:4} {note}")

    def budget(self, what: str, measured: float, limit: float, unit: str) -> None:
        """A figure that must be kept."""
        self.budgets.append(Budget(what, measured, limit, unit))


def ratio(times: list[float], peer: list[float], name: str) -> str:
    return f"{statistics.median(times) / statistics.median(peer):.2f} x {name}"


@contextmanager
def s6(root: Path, count: int) -> Iterator[Callable[[], float]]:
    """A folder of services; calling it starts all of them anew and gives the milliseconds until all are ready."""
    folder = root / "s6"
    for number in range(count):
        service = folder / f"s{number}"
        service.mkdir(parents=True)
        (service / "notification-fd").write_text("3\n")
        (service / "program").write_text(PROGRAM)
        (service / "run").write_text(f"#!/bin/sh\nexec {sys.executable} -I -S program 3\n")
        (service / "run").chmod(0o755)
    services = [str(path) for path in folder.iterdir()]

    def start() -> float:
        begun = time.perf_counter()
        with subprocess.Popen(["s6-svscan", str(folder)], stdout=-3, stderr=-3) as scanner:
            while not all((Path(each) / "supervise" / "control").exists() for each in services):
                time.sleep(0.001)
            subprocess.run(["s6-svwait", "-U", "-a", *services], check=True)
            took = (time.perf_counter() - begun) * 1000
            subprocess.run(["s6-svscanctl", "-t", str(folder)], check=True)
            scanner.wait()
        return took

    yield start


@contextmanager
def supervisor(root: Path, count: int) -> Iterator[tuple[Callable[[], float], list[str]]]:
    """The same under supervisord: how long until its own status says RUNNING (it knows no readiness); its status."""
    folder = root / "supervisor"
    folder.mkdir()
    configuration = folder / "conf"
    text = SUPERVISOR.format(root=folder).replace("numprocs=10", f"numprocs={count}\nstartsecs=0")
    configuration.write_text(text)
    status = ["supervisorctl", "-c", str(configuration), "status"]

    def start() -> float:
        begun = time.perf_counter()
        with running(["supervisord", "-n", "-c", str(configuration)], status):
            return (time.perf_counter() - begun) * 1000

    yield start, status


def at_once(command: list[str], environment: dict[str, str], count: int) -> float:
    """Milliseconds until `count` of them, begun together, have all answered."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda _: timed(command, environment), range(count)))
    return (time.perf_counter() - begun) * 1000


def statuses(found: Found, suite: Ours, root: Path, rounds: int, loops: int) -> None:
    """Fifty at once, idle and under load; a few rounds of supervisorctl, which takes seconds for them."""
    commands = {
        "ours": [str(OUR_COMMANDS / "jbs_spmd_status"), "-h", suite.name],
        "bare interpreters": [*PYTHON, "pass"],
    }
    peers = root / "peers"
    peers.mkdir()
    with monitor.s6(peers) as svstat, monitor.supervisor(peers) as supervisorctl:
        commands |= {each.name: each.command for each in (*svstat, *supervisorctl)}
        for name, busy in (("idle", 0), (f"{loops} busy loops", loops)):
            with load(busy):
                times = statuses_in_turns(commands, suite.environment, rounds)
            mine = times.pop("ours")
            found.line(f"50 statuses at once, {name}", mine, "all answered")
            for peer, theirs in times.items():
                found.line(f"  50 {peer}", theirs, f"ours: {ratio(mine, theirs, 'that')}")


def statuses_in_turns(
    commands: dict[str, list[str]], environment: dict[str, str], rounds: int
) -> dict[str, list[float]]:
    """Contender -> milliseconds of each round of fifty."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            if number < FEW or name != "supervisorctl status":
                times[name].append(at_once(command, environment, 50))
    return times


def deaths(found: Found, suite: Ours, rounds: int, loops: int) -> None:
    """From SIGKILL to the record that says so, idle and under load: half of the services die then, half now."""
    services = sorted(suite.services())
    for name, busy, dying in (("idle", 0, services[::2]), (f"{loops} busy loops", loops, services[1::2])):
        with load(busy):
            times = [death(suite, each) for each in dying[:rounds]]
        found.line(f"a service's death to the record, {name}", times, "looked for all the time")
        found.budget(f"death to the record, {name}, worst", max(times), 50, "ms")


def death(suite: Ours, name: str) -> float:
    """Milliseconds from a service's SIGKILL to the record that says so."""
    os.kill(int(str(suite.services()[name]["pid"])), signal.SIGKILL)
    return until(lambda: suite.services()[name]["state"] == "failed")


def terminations(found: Found, suite: Ours, rounds: int) -> None:
    """Forced termination of 200 processes, by each mechanism."""
    suite.act(*actor.TWO_HUNDRED, "ready", "wait")
    for mechanism in ("a control group", "/proc alone") if cgroup.own() else ("/proc alone",):
        suite.environment[cgroup.WITHOUT] = "1" if mechanism == "/proc alone" else ""
        times = []
        for _ in range(rounds):
            suite("start.cluster")
            time.sleep(0.5)  # until the last of them has fled
            times.append(suite("killall.cluster"))
        what = f"forced termination of 200, {mechanism}"
        found.line(what, times, "the command itself proves that none is left")
        found.budget(f"{what}, worst", max(times), 1000, "ms")
    del suite.environment[cgroup.WITHOUT]


def survivor(found: Found, suite: Ours, root: Path) -> None:
    """How long until one that the kernel holds is named, and given up after some time to end."""
    blocking = Blocking(root / "blocking")
    suite.act("ready", f"gate={blocking.file}")
    suite("start.cluster")
    blocking.expect("held")
    begun = time.perf_counter()
    with subprocess.Popen(suite.command("killall.cluster"), env=suite.environment, stderr=-1, stdout=-3) as command:
        assert command.stderr is not None
        times = {line[:10]: (time.perf_counter() - begun) * 1000 for line in command.stderr if b"(state D)" in line}
    blocking.end()
    if command.returncode != 1 or times.keys() != {b"BSHO2140-W", b"BSHO2108-E"}:
        sys.exit(f"what survived is not named: {command.returncode}, {times}")
    found.line("a process that the kernel holds, named", [times[b"BSHO2140-W"]])
    found.budget("a process that the kernel holds, named", times[b"BSHO2140-W"], 1000, "ms")
    found.line("  the same, given up", [times[b"BSHO2108-E"]])
    suite("killall.cluster")


def starts(found: Found, suite: Ours, root: Path, rounds: int) -> None:
    """A suite of 8, and beside it one service alone, and two others."""
    suite.write(PROGRAM, 8)
    with s6(root, 8) as s6_start, supervisor(root, 8) as (supervisor_start, _):
        times: dict[str, list[float]] = {"ours": [], "alone": [], "s6": [], "supervisord": []}
        for _ in range(rounds):
            times["ours"].append(suite("start.cluster"))
            suite("stop.cluster")
            times["alone"].append(alone())
            times["s6"].append(s6_start())
            times["supervisord"].append(supervisor_start())
    over = statistics.median(times["ours"]) - statistics.median(times["alone"])
    found.line("start of a suite of 8", times["ours"], f"{over:.0f} ms over eight such services alone")
    found.line("  the same eight services alone", times["alone"])
    for peer, until_then in (("s6", "all are ready"), ("supervisord", "all are RUNNING")):
        found.line(f"  {peer} until {until_then}", times[peer], ratio(times["ours"], times[peer], peer))
    found.budget("start of a suite of 8, over its services alone", over, 100, "ms")


def alone() -> float:
    """Milliseconds until eight of the services, side by side and under nobody, are ready."""
    reader, writer = os.pipe()
    begun = time.perf_counter()
    processes = [subprocess.Popen([*PYTHON, PROGRAM, str(writer)], pass_fds=[writer]) for _ in range(8)]
    got = 0
    while got < len(processes):
        got += len(os.read(reader, len(processes)))
    took = (time.perf_counter() - begun) * 1000
    for process in processes:
        process.kill()
        process.wait()
    os.close(reader)
    os.close(writer)
    return took


def idle(found: Found, suite: Ours, count: int, seconds: float) -> None:
    """CPU and memory of the process manager while nothing happens but its beat, and between the beats."""
    suite.write(PROGRAM, count)
    took = suite("start.cluster")
    time.sleep(2)
    before, quiet = on_cpu(suite.manager), []
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        quiet.append(after_a_beat(suite))
    share = (on_cpu(suite.manager) - before) / (time.monotonic() - begun) * 100
    aside = statistics.mean(quiet) * 100
    found.line(f"idle with {count} services, one core", [share], f"started in {took:.0f} ms", "%")
    found.line("  of that between two beats", [aside], f"in {len(quiet)} times {QUIET[1]} s", "%")
    found.line(f"memory with {count} services", [memory(suite.manager)], unit="MB")
    found.budget(f"idle with {count} services, beats aside", aside, 0.1, "% of a core")
    suite("stop.cluster")


def after_a_beat(suite: Ours) -> float:
    """The share of a core that the process manager takes from shortly after its next beat until the one after that."""
    last = suite.record.stat().st_mtime_ns
    while suite.record.stat().st_mtime_ns == last:
        time.sleep(0.005)
    pause, lasts = QUIET
    time.sleep(pause)
    before = on_cpu(suite.manager)
    time.sleep(lasts)
    return (on_cpu(suite.manager) - before) / lasts


def on_cpu(pid: int) -> float:
    """Seconds that the process's threads have run."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory(pid: int) -> float:
    """Megabytes, what is shared divided among those who share it."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(each.split()[1]) for each in lines if each.startswith("Pss:")) / 1024


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--load", type=int, default=16, help="busy loops for the loaded part")
    parser.add_argument("--many", type=int, default=500, help="services of the large suite")
    parser.add_argument("--seconds", type=float, default=10, help="how long the idle daemon is watched")
    figures.argument(parser)
    arguments = parser.parse_args()
    found = Found(arguments.json)
    with ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        suite = Ours(root, HOST)
        stack.callback(suite, "killall.cluster")
        suite.write(PROGRAM, 8)
        suite("start.cluster")
        figures.say(found.place, f"{'':50}{'median':>10}{'worst':>9}")
        statuses(found, suite, root, arguments.rounds, arguments.load)
        deaths(found, suite, arguments.rounds, arguments.load)
        suite("stop.cluster")
        terminations(found, suite, arguments.rounds)
        if os.access("/dev/fuse", os.R_OK | os.W_OK):
            survivor(found, suite, root)
        starts(found, suite, root, arguments.rounds)
        for count in (8, arguments.many):
            idle(found, suite, count, arguments.seconds)
    figures.finish(found.rows, found.budgets, found.place)


if __name__ == "__main__":
    main()
