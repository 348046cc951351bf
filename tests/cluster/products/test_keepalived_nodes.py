"""keepalived moves a logical host between two real nodes. Its suites are stand-ins, its directory is each node's own:
keepalived fences nobody, so a disk that two nodes could mount has no place here.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.nodes import until

from bansho.contract.suites import COMMANDS, DATABASE_STATUS
from bansho.lab import Lab, Node

pytestmark = [
    pytest.mark.nodes,
    pytest.mark.usefixtures("as_root"),
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived"),
]

BANSHO = str(Path(sys.executable).with_name("bansho"))
STAND_IN = Path(__file__).parent.parent / "stand-in"
STAND_INS, FOLDER = "/run/stand-in", "/etc/bansho/cluster/watch/keepalived"
RUNNING = ["jbs_start.cluster", "jco_start.cluster"]
STOPPED = ["jco_stop.cluster", "jco_killall.cluster", "jbs_stop.cluster", "jbs_killall.cluster"]


class Pair:
    """The logical host `watch` on two nodes with keepalived."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.nodes = lab, lab.nodes[:2]
        self.ip = lab.logical_address.partition("/")[0]
        for node in self.nodes:
            self.furnish(node)

    def furnish(self, node: Node) -> None:
        """Commands, definition, and what is rendered from it."""
        definition = f"""\
name = "watch"
shared-directory = "/srv/watch"
address = "{self.lab.logical_address}"
[cluster]
nodes = ["n1", "n2"]
interface = "eth0"
monitor-interval = 1
status-timeout = 5
retries = 1
failure-window = 600
base-commands = "{STAND_INS}"
manager-commands = "{STAND_INS}"
"""
        self.on(node, f"mkdir -p /srv/watch/conf /srv/watch/log {STAND_INS}/state /etc/bansho/logical-hosts")
        self.on(node, f"printf %s /srv/watch >{STAND_INS}/state/directory")
        self.on(node, "cat >/etc/bansho/logical-hosts/watch.toml", definition)
        for name in [*(name for suite in COMMANDS.values() for name in suite), DATABASE_STATUS]:
            self.on(node, f"cat >{STAND_INS}/{name} && chmod 755 {STAND_INS}/{name}", STAND_IN.read_text())
        rendered = node.run([BANSHO, "cluster", "render", "watch", "--product", "keepalived", "--output", FOLDER])
        assert rendered.returncode == 0, rendered.stderr
        checked = node.run(["keepalived", "--config-test", "--use-file", f"{FOLDER}/keepalived.conf"])
        assert (checked.returncode, checked.stderr) == (0, "")

    def on(self, node: Node, script: str, text: str = "", check: bool = True) -> str:
        return node.run(["sh", "-c", script], input=text, check=check).stdout

    def keepalived(self, node: Node) -> None:
        """Starts it, as its package's service would."""
        node.run(["keepalived", "--log-detail", "--use-file", f"{FOLDER}/keepalived.conf"], check=True)

    def addressed(self) -> list[Node]:
        """The nodes that have the logical address."""
        return [node for node in self.living if f" {self.ip}/" in self.on(node, "ip -o address show dev eth0")]

    def home(self) -> Node | None:
        """The node with the address on which both suites run; None while there is none, or more than one."""
        homes = [node for node in self.addressed() if self.orders(node)[-2:] == RUNNING and self.healthy(node)]
        return homes[0] if len(homes) == 1 else None

    def healthy(self, node: Node) -> bool:
        return node.run([f"{FOLDER}/control", "monitor"]).returncode == 0

    @property
    def living(self) -> list[Node]:
        return [node for node in self.nodes if node.on]

    def orders(self, node: Node) -> list[str]:
        """What was ordered of the suites on a node, one after the other."""
        calls = self.on(node, f"cut -d' ' -f2 {STAND_INS}/state/calls", check=False).split()
        return [call for call in calls if "status" not in call]


@pytest.fixture
def pair(lab: Lab) -> Iterator[Pair]:
    pair = Pair(lab)
    for node in pair.nodes:
        pair.keepalived(node)
    until(lambda: pair.home() is not None)
    yield pair
    # No cluster configuration was changed, so the lab itself would not see that it is no longer as new.
    pair.nodes[0].power("off")


def test_keepalived_starts_moves_and_bars(pair: Pair) -> None:
    first = pair.home()
    assert first is not None
    (second,) = [node for node in pair.nodes if node.name != first.name]
    assert pair.orders(first)[-2:] == RUNNING
    assert "jbs_start.cluster" not in pair.orders(second)

    pair.on(first, f"kill -9 $(cat {STAND_INS}/state/base.pid)")
    until(lambda: (home := pair.home()) is not None and home.name == second.name, 40)
    # Base was dead, so there was nothing of it to stop in order. The scripts of fault and of backup both see to it.
    released = ["jco_stop.cluster", "jco_killall.cluster", "jbs_killall.cluster"]
    until(lambda: "".join([*RUNNING, *released]) in "".join(pair.orders(first)))
    assert [node.name for node in pair.addressed()] == [second.name]
    assert pair.orders(first).count("jbs_start.cluster") == 1

    second.power("loss")
    until(lambda: (home := pair.home()) is not None and home.name == first.name, 40)
    assert pair.orders(first)[-2:] == RUNNING


def test_a_node_where_it_cannot_start_does_not_get_it_back(pair: Pair) -> None:
    first = pair.home()
    assert first is not None
    (second,) = [node for node in pair.nodes if node.name != first.name]
    pair.on(second, f"echo exit 0 >{STAND_INS}/state/jbs_start.cluster.do")
    pair.on(first, f"echo sleep 5 >{STAND_INS}/state/jco_stop.cluster.do")
    pair.on(first, "kill $(cat /run/keepalived.pid)")
    until(lambda: pair.on(second, "cat /run/bansho/watch/role/barred", check=False) != "", 60)
    until(lambda: pair.addressed() == [])
    # keepalived has long ended then, and its scripts were told to.
    until(lambda: pair.orders(first)[-4:] == STOPPED)
    assert second.run([f"{FOLDER}/control", "track"]).returncode == 1
    pair.keepalived(first)
    until(lambda: (home := pair.home()) is not None and home.name == first.name, 40)
