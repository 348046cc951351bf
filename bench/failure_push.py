"""From a failure to the beginning of its recovery, by how Pacemaker learns of it: `python bench/failure_push.py`.

Real nodes (bansho lab) carry Base and Manager. For each way, a service of Base and the database's postmaster are
killed in turns, `--rounds` times. The time is from the kill to the moment when a process manager is asked to stop, and
each failure must be counted once. Then the node is left alone for a while, for what the monitoring costs it.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bansho.lab import Lab, Node
from bansho.lab.namespaces import group_of

sys.path.append(str(Path(__file__).parents[1]))
from bench import figures
from bench.figures import Budget

BANSHO = Path(sys.executable).with_name("bansho")
PATIENCE = 60.0
VICTIMS = (("base", "event-service"), ("manager", "imdb"))
"""Suite and service; of the last one its child is killed, the postmaster."""


class Way(NamedTuple):
    """How Pacemaker learns of a failure."""

    name: str
    keys: str
    """In the definition's `[cluster]`."""
    injects: bool = False
    """The failure is reported to Pacemaker by `crm_resource --fail`, as an agent beside it would."""


WAYS = (
    Way("monitor that waits, 10 s", "monitor-interval = 10"),
    Way("monitor every 10 s", "monitor-interval = 10\npush = false"),
    Way("monitor every 1 s", "monitor-interval = 1\npush = false"),
    Way("monitor every 10 s, --fail", "monitor-interval = 10\npush = false", injects=True),
)


class Result(NamedTuple):
    """What one way came to."""

    way: Way
    times: list[float]
    failures: int
    counted: int
    cpu: float
    """Per cent of one core that the node takes while nothing happens."""


class Cluster:
    """The logical host `bench` on three nodes."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.first = lab.nodes[0]

    def definition(self, way: Way) -> str:
        return f"""\
name = "bench"
shared-directory = "/srv/bench"
address = "{self.lab.logical_address}"
user = "bansho"
[disk]
device = "{self.lab.disk}"
mount-point = "/srv/bench"
[cluster]
nodes = ["n1", "n2", "n3"]
restarts = 50
failure-window = 30000
deep-interval = 0
{way.keys}
"""

    def set_up(self) -> None:
        """Agent and shared directory."""
        for node in self.lab.nodes:
            place(node, self.definition(WAYS[0]))
            say(node, f"{BANSHO} cluster agent install && mkdir -p /srv/bench")
        mounted = f"mount {self.lab.disk} /srv/bench && {{ {BANSHO} setup bench; umount /srv/bench; }}"
        say(self.first, mounted)

    def register(self, way: Way) -> None:
        """Brings the way into the cluster."""
        for node in self.lab.nodes:
            place(node, self.definition(way))
        say(
            self.first,
            f"echo '{self.lab.fencing}' >/root/fencing && {BANSHO} cluster apply bench --fencing /root/fencing --yes",
        )
        wait_for(lambda: self.home() is not None, "the logical host runs")
        self.settle()

    def settle(self) -> None:
        say(self.first, f"crm_resource --wait --timeout={PATIENCE:g}s")

    def status(self) -> dict[str, object]:
        found: list[dict[str, object]] = json.loads(
            self.first.run([str(BANSHO), "cluster", "status", "bench", "--json"]).stdout
        )
        return found[0]

    def home(self) -> Node | None:
        """Where all of it runs."""
        home = self.status().get("home")
        return self.lab.node(str(home)) if home else None

    def counted(self) -> int:
        """The failures that Pacemaker counts."""
        failures = self.status()["failures"]
        assert isinstance(failures, list)
        return sum(each["counted"] for each in failures)

    def kill(self, way: Way, number: int) -> float:
        """Kills once; seconds until the recovery has begun."""
        home = self.home()
        assert home is not None
        suite, service = VICTIMS[number % len(VICTIMS)]
        record = home.run(["cat", f"/run/bansho/bench/{suite}/record"], check=True).stdout.splitlines()[2]
        pid = str(next(each["pid"] for each in json.loads(record)["services"] if each["name"] == service))
        if service == "imdb":
            pid = say(home, f"cat /proc/{pid}/task/*/children").split()[0]
        fail = f"; crm_resource --fail --resource bench-{suite} --node {home.name} >&2" if way.injects else ""
        before = len(self.asked(home))
        killed = float(say(home, f"date +%s.%N; kill -9 {pid}{fail}").split()[0])
        wait_for(lambda: len(self.asked(home)) > before, "the recovery begins")
        begun = self.asked(home)[before]
        wait_for(lambda: self.home() is not None, "the logical host runs again")
        self.settle()
        return begun - killed

    def asked(self, home: Node) -> list[float]:
        """When Manager's process manager was asked to stop: the first step of each recovery."""
        lines = home.run(["cat", "/run/bansho/bench/manager/spmd.log"]).stdout.splitlines()
        events = [json.loads(line) for line in lines]
        return [stamp(each) for each in events if each.get("event") == "asked" and each.get("aim") == "down"]


def stamp(event: dict[str, str]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()


def place(node: Node, definition: str) -> None:
    path = "/etc/bansho/logical-hosts/bench.toml"
    node.run(["sh", "-c", f"mkdir -p $(dirname {path}) && cat >{path}"], input=definition, check=True)


def say(node: Node, script: str) -> str:
    done = node.run(["sh", "-c", script])
    if done.returncode:
        sys.exit(f"{script}: {done.returncode}: {done.stderr}")
    return done.stdout


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.1)


def cpu(home: Node, seconds: float) -> float:
    """Per cent of one core that a node takes meanwhile; nan where the machine has no control groups for it."""
    group = group_of(home.lab.spec.cgroup, home.name)
    if not group:
        return float("nan")

    def used() -> int:
        return int(Path(group, "cpu.stat").read_text().split()[1])

    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds / 1e4


def measure(cluster: Cluster, way: Way, rounds: int, idle: float) -> Result:
    """Kills `rounds` times, at any moment between two monitors."""
    cluster.register(way)
    before, times = cluster.counted(), []
    for number in range(rounds):
        time.sleep(random.uniform(2, 13))
        times.append(cluster.kill(way, number))
        print(f"  {way.name}: {times[-1]:.2f} s, counted {cluster.counted() - before}", file=sys.stderr, flush=True)
    home = cluster.home()
    assert home is not None
    return Result(way, times, rounds, cluster.counted() - before, cpu(home, idle) if idle else float("nan"))


def rows(results: list[Result]) -> figures.Rows:
    """A row each: seconds from the failure to the beginning of the recovery. Pure."""
    return [
        {
            "what": each.way.name,
            "median": statistics.median(each.times),
            "mean": statistics.mean(each.times),
            "worst": max(each.times),
            "failures": each.failures,
            "counted": each.counted,
            "node CPU %": each.cpu,
            "unit": "s",
        }
        for each in results
    ]


def lines(found: figures.Rows) -> list[str]:
    """The rows for a person."""
    head = f"{'':28}{'median s':>10}{'mean s':>9}{'max s':>8}{'failures':>10}{'counted':>9}{'node CPU %':>12}"
    return [head, *(line(row) for row in found)]


def line(row: dict[str, Any]) -> str:
    times = f"{row['what']:28}{row['median']:10.2f}{row['mean']:9.2f}{row['worst']:8.2f}"
    return times + f"{row['failures']:10}{row['counted']:9}{row['node CPU %']:12.1f}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--idle", type=float, default=60, help="seconds for the CPU time; 0: none")
    parser.add_argument("--way", action="append", type=int, help="only these, counted from 0")
    figures.argument(parser)
    arguments = parser.parse_args()
    readable = [Path(__file__).parents[1], Path(sys.prefix)]
    with Lab.up("failure-push", users=["bansho"], readable=readable, tied=True) as lab:
        cluster = Cluster(lab)
        cluster.set_up()
        ways = [WAYS[each] for each in arguments.way or range(len(WAYS))]
        found = rows([measure(cluster, way, arguments.rounds, arguments.idle) for way in ways])
    figures.say(arguments.json, *lines(found))
    ours = [row for row in found if row["what"] == WAYS[0].name]
    budgets = [Budget("a failure to the recovery's beginning", row["median"] * 1000, 300, "ms") for row in ours]
    figures.finish(found, budgets, arguments.json)


if __name__ == "__main__":
    main()
