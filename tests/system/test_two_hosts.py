"""Two logical hosts on two nodes take over to each other and back, under traffic, and do not disturb one another."""

import ipaddress
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.system.history import History
from tests.system.services import record

from bansho.contract import operation
from bansho.contract.suites import COMMANDS
from bansho.drill import tally
from bansho.drill.stage import DEFINITION, HOST, MOUNT_POINT, PROGRAMS, USER, Sender, Stage, run, wait
from bansho.lab import Node, disk
from bansho.logicalhost import lease

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(300)]

BANSHO = str(PROGRAMS / "bansho")
OTHER = "guard"


class LogicalHost:
    """One of the two, wherever it runs."""

    def __init__(self, stage: Stage, name: str, address: str, mount_point: str) -> None:
        self.stage, self.name, self.mount_point = stage, name, mount_point
        self.address, self.shared = address.partition("/")[0], f"{mount_point}/{name}"

    def runs_on(self, node: Node) -> bool:
        """Whether all of it runs there, by its status commands."""
        asked = ([str(PROGRAMS / each.status), "-h", self.name] for each in COMMANDS.values())
        return all(node.run(command).returncode == operation.ALL_RUNNING for command in asked)

    def wait_on(self, node: Node) -> None:
        wait(f"{self.name} on {node.name}", lambda: self.runs_on(node), state=self.stage.overview)

    def move(self, node: Node) -> None:
        run(node, "move", [BANSHO, "cluster", "move", self.name, node.name])
        self.wait_on(node)

    def send(self) -> Sender:
        arguments = [f"http://{self.address}:7710", f"/root/{self.name}.token"]
        return self.stage.start_sender("bansho.drill.traffic", arguments, 50, f"to-{self.name}")

    def stored(self, node: Node, source: str) -> list[int]:
        command = [str(PROGRAMS / "python3"), "-m", "bansho.drill.stored", self.name, source]
        return [int(line) for line in run(node, "ask the IM database", command).split()]

    def traces(self, node: Node) -> dict[str, object]:
        """What would differ if anything had been done to it: processes, records, database, address, lease, disk."""
        shared = Path(f"/proc/{node.pid}/root{self.shared}")
        held = lease.read(shared)
        addresses = run(node, "look at the addresses", ["ip", "-o", "address", "show"])
        traces: dict[str, object] = {suite: _steady(record(node, suite, self.name)) for suite in COMMANDS}
        return traces | {
            "postmaster": (shared / "database/postmaster.pid").read_text().splitlines()[:3],
            "address": f" {self.address}/" in addresses,
            "epoch": held and (held.node, held.epoch),
            "device": run(node, "look at the disk", ["stat", "--format=%d", self.shared]),
        }

    def ages(self, node: Node) -> dict[str, float]:
        """Since when each service is in its state. Each record has it from two clocks, read one after the other."""
        found = {suite: record(node, suite, self.name)[1]["services"] for suite in COMMANDS}
        return {f"{suite} {each['name']}": each["since"] for suite, services in found.items() for each in services}


def _steady(found: tuple[str, dict[str, Any]]) -> tuple[str, object, list[dict[str, object]]]:
    manager, detail = found
    return manager, detail["value"], [{**each, "since": None} for each in detail["services"]]


@contextmanager
def undisturbed(host: LogicalHost, node: Node) -> Iterator[None]:
    """Nothing is done to the logical host there meanwhile."""
    history, before, ages = History(host.stage.lab, host.name), host.traces(node), host.ages(node)
    yield
    assert host.traces(node) == before
    assert host.ages(node) == pytest.approx(ages, abs=0.5)
    assert history.deeds("start", "stop") == []


Home = tuple[LogicalHost, Node]


@pytest.fixture
def afterwards(settled: Stage) -> Iterator[ExitStack]:
    """What is undone however the test ends, the last first; and then the stage is as the other tests expect it."""
    with ExitStack() as undone:
        undone.callback(take_away, settled)
        yield undone


def take_away(stage: Stage) -> None:
    """The stage without `guard`: power and nodes back, and everything that there was of it gone from the cluster."""
    stage.mend()
    first = stage.lab.nodes[0]
    for node in stage.lab.nodes:
        run(first, "let no node rest", [BANSHO, "cluster", "standby", "off", node.name])
    run(first, "remove it", [BANSHO, "cluster", "remove", OTHER, "--yes"])
    for node in stage.lab.nodes:
        run(node, "forget it", ["rm", "-f", f"/etc/bansho/logical-hosts/{OTHER}.toml"])
    stage.wait_up()


@pytest.fixture
def pair(settled: Stage, afterwards: ExitStack, tmp_path: Path) -> tuple[Home, Home]:
    """`watch`, and one with a disk and an address of its own, each with its node; the third node rests."""
    lab, mount_point = settled.lab, f"/srv/{OTHER}"
    first = settled.wait_up()
    second, third = (node for node in lab.nodes if node.name != first.name)
    address = ipaddress.ip_interface(lab.logical_address) + 1
    device = disk.attach(tmp_path / "disk", 256 << 20)
    definition = DEFINITION.format(
        name=OTHER,
        address=address,
        shared=f"{mount_point}/{OTHER}",
        user=USER,
        device=device,
        mount_point=mount_point,
        nodes=json.dumps(lab.spec.nodes),
    )
    for node in lab.nodes:
        script = f"mkdir -p {mount_point}; cat >/etc/bansho/logical-hosts/{OTHER}.toml"
        run(node, "define it", ["sh", "-c", script], definition)
    mounted = f"mount {device} {mount_point} && {BANSHO} setup {OTHER} && umount {mount_point}"
    run(first, "set it up", ["sh", "-c", mounted])
    run(first, "let the third node rest", [BANSHO, "cluster", "standby", "on", third.name])
    run(first, "register it", [BANSHO, "cluster", "apply", OTHER])
    watch = LogicalHost(settled, HOST, lab.logical_address, MOUNT_POINT)
    guard = LogicalHost(settled, OTHER, str(address), mount_point)
    guard.move(second)
    for host, node in ((watch, first), (guard, second)):
        create = [BANSHO, "token", "create", "pair", "--host", host.name, "--scope", "send"]
        token = run(node, "make a token", create).strip().splitlines()[-1]
        run(lab.outside, "give the sender its token", ["sh", "-c", f"umask 077; cat >/root/{host.name}.token"], token)
    return (watch, first), (guard, second)


def test_they_take_over_to_each_other_and_back(settled: Stage, pair: tuple[Home, Home], afterwards: ExitStack) -> None:
    (watch, first), (guard, second) = pair
    senders = [watch.send(), guard.send()]
    for sender in senders:
        afterwards.callback(sender.stop)
    with undisturbed(guard, second):
        first.power("loss")
        watch.wait_on(second)
        assert watch.traces(second)["address"]
        settled.lab.wait_online(first.name)
        watch.move(first)
    with undisturbed(watch, first):
        run(first, "let the second node rest", [BANSHO, "cluster", "standby", "on", second.name])
        guard.wait_on(first)
        run(first, "wake the second node", [BANSHO, "cluster", "standby", "off", second.name])
        guard.move(second)
    for (host, node), sender in zip(pair, senders, strict=True):
        sender.stop()
        everything_arrived(host, node, sender)
    assert watch.stored(first, "to-guard") == guard.stored(second, "to-watch") == []


def everything_arrived(host: LogicalHost, node: Node, sender: Sender) -> None:
    """What was acknowledged is in the logical host's IM database exactly once."""
    source, last = f"to-{host.name}", max(sender.ledger().acknowledged)
    wait("the event base to catch up", lambda: last in host.stored(node, source))
    found = tally.tally(sender.ledger(), host.stored(node, source))
    assert found.clean, found
