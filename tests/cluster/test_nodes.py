"""A logical host on three real Pacemaker nodes: with stand-ins that others could have written, and with our suites."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bansho.cluster.install import PLACE
from bansho.contract.suites import COMMANDS, DATABASE_STATUS
from bansho.lab import Lab, Node

pytestmark = [pytest.mark.nodes, pytest.mark.usefixtures("as_root")]

BANSHO = str(Path(sys.executable).with_name("bansho"))
STAND_INS = "/run/stand-in"
PATIENCE = 60.0
RESTARTS = 1
ORDER = ["watch-disk", "watch-address", "watch-base", "watch-manager"]
# Whether disk and address are there while a command runs, and when that was.
THERE = """\
mounted=$(grep -c ' /srv/watch ' /proc/mounts)
addressed=$(ip -o address show | grep -c ' {ip}/')
echo "$(cut -d' ' -f1 /proc/uptime) $name $mounted $addressed" >>"$state/there"
"""


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.2)


class Watch:
    """The logical host `watch` on the lab's nodes."""

    def __init__(self, lab: Lab, directory: str, keys: str) -> None:
        """`directory` is the shared one, on the disk; `keys` ends the definition's `[cluster]`."""
        self.lab, self.directory = lab, directory
        self.ip = lab.logical_address.partition("/")[0]
        definition = f"""\
name = "watch"
shared-directory = "{directory}"
address = "{lab.logical_address}"
user = "bansho"
[disk]
device = "{lab.disk}"
mount-point = "/srv/watch"
[limits]
start = 20
stop = 10
service-start = 10
service-stop = 5
[cluster]
nodes = ["n1", "n2", "n3"]
monitor-interval = 1
status-timeout = 5
retries = 2
restarts = {RESTARTS}
{keys}
"""
        for node in lab.nodes:
            self.place(node, "/etc/bansho/logical-hosts/watch.toml", definition)
            assert PLACE.name in self.bansho("agent", "install", node=node).stderr
            self.on(node, "mkdir -p /srv/watch")

    def on_disk(self, script: str) -> None:
        """Runs a script while the disk is mounted on the first node."""
        self.on(self.lab.nodes[0], f"mount {self.lab.disk} /srv/watch && {{ {script}; }} && umount /srv/watch")

    def on(self, node: Node, script: str, text: str = "", check: bool = True) -> CompletedProcess[str]:
        return node.run(["sh", "-c", script], input=text, check=check)

    def place(self, node: Node, path: str, text: str, mode: int = 0o644) -> None:
        self.on(node, f'mkdir -p "$(dirname {path})" && cat >{path} && chmod {mode:o} {path}', text)

    def bansho(self, *arguments: str, node: Node | None = None) -> CompletedProcess[str]:
        return (node or self.lab.nodes[0]).run([BANSHO, "cluster", *arguments])

    def register(self) -> None:
        self.place(self.lab.nodes[0], "/root/fencing.crm", self.lab.fencing + "\n")
        done = self.bansho("apply", "watch", "--fencing", "/root/fencing.crm")
        assert done.returncode == 0, done.stderr
        until(lambda: self.home() != "", "all of it is on one node")
        self.settle()

    def home(self) -> str:
        """The node on which all of it runs or is just starting; empty while there is none."""
        nodes = {self.located(resource) for resource in ORDER}
        return nodes.pop() if len(nodes) == 1 else ""

    def located(self, resource: str) -> str:
        asked = next(node for node in self.lab.nodes if node.on)
        said = asked.run(["crm_resource", "--resource", resource, "--locate"]).stdout
        return said.split()[-1] if "is running on" in said else ""

    def settle(self) -> None:
        """Waits until the cluster has nothing left to do."""
        asked = next(node for node in self.lab.nodes if node.on)
        asked.run(["crm_resource", "--wait", f"--timeout={PATIENCE:g}s"], check=True)

    def marks(self) -> list[tuple[float, str]]:
        """[when, leg] of the takeover history."""
        text = self.on(self.lab.node(self.home()), f"cat {self.directory}/log/takeover.jsonl").stdout
        marks = [json.loads(line) for line in text.splitlines()]
        return [(mark["at"], mark["leg"]) for mark in marks]


class StandIns(Watch):
    """With suites that are played by stand-in commands."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab, "/srv/watch/shared", f'base-commands = "{STAND_INS}"\nmanager-commands = "{STAND_INS}"')
        self.on_disk("mkdir -p /srv/watch/shared/conf /srv/watch/shared/log")
        for node in lab.nodes:
            self.furnish(node)

    def furnish(self, node: Node) -> None:
        """The stand-in commands; they note what is there when they start and stop."""
        names = [name for suite in COMMANDS.values() for name in suite] + [DATABASE_STATUS]
        for name in names:
            self.place(node, f"{STAND_INS}/{name}", (Path(__file__).parent / "stand-in").read_text(), 0o755)
        self.place(node, f"{STAND_INS}/state/directory", self.directory)
        for suite in COMMANDS.values():
            for name in (suite.start, suite.stop):
                self.place(node, f"{STAND_INS}/state/{name}.do", THERE.format(ip=self.ip))

    def kill(self, suite: str) -> str:
        """Kills a suite's process; its pid."""
        node = self.lab.node(self.home())
        pid = self.pid(suite)
        self.on(node, f"kill -9 {pid}")
        return pid

    def pid(self, suite: str) -> str:
        node = self.lab.node(self.home() or self.located("watch-disk"))
        return self.on(node, f"cat {STAND_INS}/state/{suite}.pid", check=False).stdout.strip()

    def there(self, node: str) -> list[list[str]]:
        """[time, command, disk mounted, address there] of each start and stop command on a node, in order of time."""
        return [
            line.split() for line in self.on(self.lab.node(node), f"cat {STAND_INS}/state/there").stdout.splitlines()
        ]


@pytest.fixture
def watch(lab: Lab) -> StandIns:
    watch = StandIns(lab)
    watch.register()
    return watch


def test_it_starts_in_sequence_and_nowhere_else(watch: StandIns) -> None:
    home = watch.home()
    rows = watch.there(home)
    assert [row[1:] for row in rows] == [["jbs_start.cluster", "1", "1"], ["jco_start.cluster", "1", "1"]]
    assert [leg for _, leg in watch.marks()] == [
        "base start begins",
        "base started",
        "manager start begins",
        "manager started",
    ]
    times = [at for at, _ in watch.marks()]
    assert times == sorted(times)
    for node in watch.lab.nodes:
        calls = watch.on(node, f"cat {STAND_INS}/state/calls", check=False).stdout
        assert (calls == "") == (node.name != home), "a probe without the disk asks nobody"
    status = watch.lab.nodes[0].run(["crm_mon", "--one-shot", "--output-as=text", "--operations"]).stdout
    assert "Failed Resource Actions" not in status


def test_a_failure_restarts_on_the_node_then_fails_over(watch: StandIns) -> None:
    first = watch.home()
    pid = watch.kill("base")
    until(lambda: watch.home() == first and watch.pid("base") not in ("", pid), "a restart on the same node")
    watch.settle()
    assert watch.home() == first
    watch.kill("base")
    until(lambda: watch.home() not in ("", first), "a failover")
    watch.settle()
    rows = watch.there(first)
    assert {(row[2], row[3]) for row in rows} == {("1", "1")}
    stopped = [row[1] for row in rows if "stop" in row[1]]
    # Base was dead each time, so only Manager could be stopped in order; forced termination swept up behind it.
    assert stopped == ["jco_stop.cluster"] * 2
    assert watch.on(watch.lab.node(first), "grep -c ' /srv/watch ' /proc/mounts", check=False).stdout == "0\n"


def test_it_stops_in_sequence_and_leaves_the_cluster(watch: StandIns) -> None:
    home = watch.home()
    done = watch.bansho("remove", "watch", "--yes")
    assert "BSHO6043-I" in done.stderr
    rows = watch.there(home)[2:]
    assert [row[1:] for row in rows] == [["jco_stop.cluster", "1", "1"], ["jbs_stop.cluster", "1", "1"]]
    assert watch.on(watch.lab.node(home), "grep -c ' /srv/watch ' /proc/mounts", check=False).stdout == "0\n"
    left = watch.lab.nodes[0].run(["crm_mon", "--one-shot"]).stdout
    assert "watch" not in left
    assert "BSHO6044-I" in watch.bansho("remove", "watch", "--yes").stderr


def test_a_stop_without_proof_gets_its_node_fenced(watch: StandIns) -> None:
    home = watch.home()
    for name in ("jbs_stop.cluster", "jbs_killall.cluster"):
        watch.place(watch.lab.node(home), f"{STAND_INS}/state/{name}.do", "exit 0\n")
    boot = watch.lab.node(home).boot_id()
    asking = next(node for node in watch.lab.nodes if node.name != home)
    asking.run(["crm_resource", "--resource", "watch", "--move", "--node", asking.name], check=True)
    until(lambda: watch.home() == asking.name, "it runs elsewhere")
    watch.lab.wait_online(home)
    assert watch.lab.node(home).boot_id() != boot


LEGS = ["base start begins", "lease", "base started", "manager start begins", "database open", "manager started"]


def test_our_own_suites_survive_a_failed_service_and_a_lost_node(lab: Lab) -> None:
    watch = Watch(lab, "/srv/watch", "")
    watch.on_disk(f"{BANSHO} setup watch")
    watch.register()
    first = watch.home()
    assert [leg for _, leg in watch.marks()] == LEGS

    record = watch.on(lab.node(first), "cat /run/bansho/watch/manager/record").stdout.splitlines()[2]
    pids = {service["name"]: service["pid"] for service in json.loads(record)["services"]}
    watch.on(lab.node(first), f"kill -9 {pids['event-base']}")
    until(
        lambda: watch.home() == first and [leg for _, leg in watch.marks()] == LEGS + LEGS[3:], "Manager restarts there"
    )

    lab.node(first).power("loss")
    until(lambda: watch.home() not in ("", first), "a takeover")
    lab.wait_online(first)
    watch.settle()
    assert [leg for _, leg in watch.marks()][-len(LEGS) :] == LEGS
    for name in ("jbs_spmd_status", "jco_spmd_status"):
        asked = lab.node(first).run([str(Path(BANSHO).with_name(name)), "-h", "watch"])
        assert asked.returncode == 1, "a standby has no shared directory"
    assert watch.home() != first
    assert "BSHO6043-I" in watch.bansho("remove", "watch", "--yes").stderr
