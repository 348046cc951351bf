"""The logical host `watch`, registered with the lab's nodes."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from bansho.cluster.install import PLACE
from bansho.contract.suites import COMMANDS, DATABASE_STATUS
from bansho.lab import Lab, Node
from bansho.logicalhost import timeline

BANSHO = str(Path(sys.executable).with_name("bansho"))
STAND_INS = "/run/stand-in"
PATIENCE = 60.0
RESTARTS = 1
AT_ANY_TIME = (timeline.FENCED, timeline.DISK, timeline.ADDRESS, timeline.FIRST_EVENT)
"""What the teller adds afterwards, and what waits for the first deep check."""
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

    def has_disk(self, node: str) -> bool:
        """Whether the disk is mounted on a node."""
        return self.on(self.lab.node(node), "grep -c ' /srv/watch ' /proc/mounts", check=False).stdout != "0\n"

    def marks(self) -> list[tuple[float, str]]:
        """[when, leg] of the takeover history, without what has no place of its own in it."""
        node = self.lab.node(self.home() or self.located("watch-disk"))
        text = self.on(node, f"cat {self.directory}/log/takeover.jsonl").stdout
        marks = [json.loads(line) for line in text.splitlines()]
        return [(mark["at"], mark["leg"]) for mark in marks if mark["leg"] not in AT_ANY_TIME]


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
