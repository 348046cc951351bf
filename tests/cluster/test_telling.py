"""The process that tells the console how the cluster sees things: a real one; a script plays Pacemaker's program."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.cluster.crm_mon import document
from tests.house import House

from bansho.cluster.agent import telling as agent
from bansho.cluster.pacemaker import status, telling
from bansho.logicalhost import clusterstate, definition, history
from bansho.logicalhost.clusterstate import ClusterState

PATIENCE = 20.0
MODULE = "bansho.cluster.pacemaker.telling"


class Node:
    """A node whose `crm_mon` says what it is told to."""

    def __init__(self, house: House) -> None:
        self.house, self.programs = house, house.root / "programs"
        self.programs.mkdir()
        self.plays("crm_mon", f"echo asked >>{self.programs}/calls; exec cat {self.programs}/answer")
        self.plays("crm_resource", 'case "$*" in *" --get-parameter maintenance") echo true ;; *) exit 1 ;; esac')
        self.answers(document())
        house.define("watch", '[cluster]\nnodes = ["n1", "n2", "n3"]\n')
        self.host = definition.load("watch")
        self.host.node.root.mkdir(parents=True, exist_ok=True)
        self.processes: list[subprocess.Popen[bytes]] = []

    def plays(self, program: str, script: str) -> None:
        (self.programs / program).write_text(f"#!/bin/sh\n{script}\n")
        (self.programs / program).chmod(0o755)

    def answers(self, xml: str) -> None:
        (self.programs / "answer").write_text(xml)

    def calls(self) -> int:
        """How often the cluster was asked."""
        calls = self.programs / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0

    def start(self, *prefix: str) -> subprocess.Popen[bytes]:
        path = f"{self.programs}:{os.environ['PATH']}"
        command = [*prefix, sys.executable, "-m", MODULE, "watch"]
        self.processes.append(subprocess.Popen(command, env={**os.environ, "PATH": path}))
        return self.processes[-1]

    def told(self) -> ClusterState:
        """What is told, as soon as somebody tells it."""
        until(self.host.node.cluster_socket.exists, "a socket")
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(PATIENCE)
            caller.connect(str(self.host.node.cluster_socket))
            return clusterstate.decode(b"".join(iter(lambda: caller.recv(4096), b"")))


def until(reached: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"not reached: {what}"
        time.sleep(0.02)


@pytest.fixture
def node(house: House) -> Iterator[Node]:
    node = Node(house)
    yield node
    for process in node.processes:
        process.kill()
        process.wait()


def test_whoever_connects_is_told(node: Node) -> None:
    node.answers(document(failures=' fail-count="2" last-failure="Sun Nov 22 11:50:00 2026"'))
    node.start()
    state = node.told()
    assert (state.problem, state.home, state.quorum, state.maintenance, state.fencing) == ("", "n3", True, False, "")
    assert [(each.name, each.state, each.could_run) for each in state.nodes] == [
        ("n1", "standby", False),
        ("n2", "offline", False),
        ("n3", "online", True),
    ]
    assert [each.id for each in state.resources] == ["watch-disk", "watch-address", "watch-base", "watch-manager"]
    assert [(each.resource, each.node, each.counted, each.bans) for each in state.failures] == [
        ("watch-base", "n3", 2, False)
    ]


def test_maintenance_and_a_cluster_that_does_not_answer_are_told(node: Node) -> None:
    node.start()
    assert not node.told().maintenance
    node.answers(document(managed="false"))
    until(lambda: node.told().maintenance, "maintenance")
    (node.programs / "crm_mon").write_text("#!/bin/sh\necho Connection refused >&2\nexit 102\n")
    until(lambda: node.told().problem, "a problem")
    assert "Connection refused" in node.told().problem


def test_the_cluster_is_asked_when_somebody_wants_to_know_and_once_a_second_at_most(node: Node) -> None:
    node.start()
    began = time.monotonic()
    node.told()
    asked = node.calls()
    for _ in range(50):
        node.told()
    assert node.calls() - asked <= (time.monotonic() - began) / telling.FRESH


def test_only_root_and_the_services_reach_it(node: Node) -> None:
    node.start()
    node.told()
    mode = node.host.node.cluster_socket.stat()
    assert stat.S_IMODE(mode.st_mode) == 0o660
    assert (mode.st_uid, mode.st_gid) == (os.geteuid(), node.host.shared.services_user[1])


def test_a_second_one_goes_at_once_and_the_first_goes_on(node: Node) -> None:
    first = node.start()
    node.told()
    assert node.start().wait(PATIENCE) == 0
    assert node.told().home == "n3"
    assert first.poll() is None


def test_one_that_was_killed_leaves_nothing_in_the_way(node: Node) -> None:
    first = node.start()
    node.told()
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = node.start()
    inode = node.host.node.cluster_socket.stat().st_ino
    until(lambda: node.host.node.cluster_socket.stat().st_ino != inode, "a new socket")
    assert node.told().home == "n3"
    assert second.poll() is None


def test_the_agent_leaves_one_where_there_is_none(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str] = []
    monkeypatch.setattr(agent, "_leave", lambda module, host: left.append(f"{module} {host}"))
    agent.tell_the_console("watch")
    assert left == [f"{MODULE} watch"]
    node.start()
    node.told()
    agent.tell_the_console("watch")
    assert len(left) == 1


def test_what_was_before_the_lease_goes_into_the_history_once(node: Node) -> None:
    at = 1795348544.7
    history.mark(node.host.shared, "base start begins", at=at, node="n3")
    history.mark(node.host.shared, "lease", at=at + 1, node="n3", epoch=4, previous="n2")
    for _ in range(2):
        process = node.start()
        node.told()
        process.kill()
        process.wait()
        node.host.node.cluster_socket.unlink()
    legs = [each.leg for each in history.marks(node.host.shared)]
    assert legs == ["base start begins", "lease", "node fenced", "disk mounted", "address up"]


@pytest.mark.usefixtures("as_root")
def test_it_ends_when_the_disk_leaves_the_node(node: Node, tmp_path: Path) -> None:
    mount_point = node.house.root / "disk"
    shared = mount_point / "shared"
    node.house.shared = shared
    disk = f'[disk]\ndevice = "/dev/none"\ntype = "tmpfs"\nmount-point = "{mount_point}"\n'
    node.house.define("watch", disk, address='"192.0.2.1/24"')
    mount_point.mkdir()
    go = tmp_path / "go"
    os.mkfifo(go)
    script = (
        f"mount -t tmpfs none {mount_point} && mkdir -p {shared}/log || exit 1\n"
        f'"$@" & read -r line <{go}; umount {mount_point} && wait $!\n'
    )
    process = node.start("unshare", "--mount", "sh", "-c", script, "sh")
    assert node.told().home == "n3"
    go.write_text("go\n")
    assert process.wait(PATIENCE) == 0
    assert not node.host.node.cluster_socket.exists()


def test_it_ends_when_nobody_can_reach_it_any_more(node: Node) -> None:
    process = node.start()
    node.told()
    process.send_signal(signal.SIGSTOP)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(node.host.node.cluster_socket))
        node.host.node.cluster_socket.unlink()
        process.send_signal(signal.SIGCONT)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fencing": "false"}, "stonith-enabled=false"),
        ({"device": ""}, "no fencing device"),
        ({"device": "Stopped"}, "fencing device fence does not run"),
        ({}, ""),
    ],
)
def test_whether_a_node_could_be_fenced(given: dict[str, str], said: str) -> None:
    problem = status.fencing_problem(ElementTree.fromstring(document(**given)))
    assert said in problem
    assert bool(said) == bool(problem)


def test_a_node_that_is_not_the_definitions_or_is_banned_could_not_run_it() -> None:
    xml = document(failures=' fail-count="INFINITY"')
    found = status.read(ElementTree.fromstring(xml), "watch")
    assert found is not None
    state = telling.state(found, (), "", 0.0)
    assert {each.name: each.could_run for each in state.nodes} == {"n1": False, "n2": False, "n3": False}
    other = status.read(ElementTree.fromstring(document()), "watch")
    assert other is not None
    assert not any(each.could_run for each in telling.state(other, ("n8", "n9"), "", 0.0).nodes)
    assert [each.name for each in telling.state(other, (), "", 0.0).nodes if each.could_run] == ["n3"]
