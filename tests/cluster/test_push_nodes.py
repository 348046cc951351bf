"""Failures on real Pacemaker nodes: each is told at once and counted once, and nothing else is ever counted."""

import json
from collections.abc import Callable

import pytest
from tests.cluster.registered import BANSHO, PATIENCE, until

from bansho.cluster.install import PLACE
from bansho.lab import Lab, Node

pytestmark = [pytest.mark.nodes, pytest.mark.usefixtures("as_root"), pytest.mark.timeout(300)]

POLLED = 10 * PATIENCE
"""Seconds between two monitors that find nothing: no test waits so long, so what is found was told."""
SERVICE = """\
[[service]]
name = "{name}"
command = ["{{python}}", "-c", '''
import signal
from bansho.process.notify import notify
notify("READY=1")
signal.sigwait({{signal.SIGTERM}})
''']
"""
DEFINITION = """\
name = "{name}"
shared-directory = "{mount_point}"
address = "{address}"
suites = {suites}
[disk]
device = "{device}"
type = "{type}"
options = "{options}"
mount-point = "{mount_point}"
[limits]
start = 20
stop = 10
service-start = 10
service-stop = 5
[cluster]
nodes = ["n1", "n2", "n3"]
monitor-interval = {interval}
push = {push}
deep-interval = 0
status-timeout = 5
database = false
restarts = 20
failure-window = 32000
"""


class Hosts:
    """`watch` with two suites on the shared disk, and `other` with one in a folder of each node."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.places = {
            "watch": (lab.disk, "ext4", "noatime", '["base", "manager"]', lab.logical_address),
            "other": ("/srv/node", "none", "bind", '["base"]', lab.logical_address.replace(".100/", ".101/")),
        }
        first = lab.nodes[0]
        for node in lab.nodes:
            assert PLACE.name in node.run([BANSHO, "cluster", "agent", "install"]).stderr
            self.write(node, "/srv/node")
            node.run(["mkdir", "-p", "/srv/watch", "/srv/other"], check=True)
        first.run(["mount", lab.disk, "/srv/watch"], check=True)
        self.write(first, "/srv/watch")
        first.run(["umount", "/srv/watch"], check=True)

    def write(self, node: Node, folder: str) -> None:
        for suite in ("base", "manager"):
            text = f'suite = "{suite}"\n' + "".join(SERVICE.format(name=name) for name in ("one", "two"))
            place(node, f"{folder}/conf/{suite}.toml", text)
        node.run(["mkdir", "-p", f"{folder}/log"], check=True)

    def register(self, *names: str, interval: float, push: bool) -> None:
        place(self.lab.nodes[0], "/root/fencing.crm", self.lab.fencing + "\n")
        for name in names:
            device, kind, options, suites, address = self.places[name]
            text = DEFINITION.format(
                name=name,
                mount_point=f"/srv/{name}",
                address=address,
                suites=suites,
                device=device,
                type=kind,
                options=options,
                interval=interval,
                push=str(push).lower(),
            )
            for node in self.lab.nodes:
                place(node, f"/etc/bansho/logical-hosts/{name}.toml", text)
            self.bansho("apply", name, "--fencing", "/root/fencing.crm", "--yes")
            until(lambda name=name: self.home(name) != "", f"{name} runs")  # type: ignore[misc]
        self.settle()

    def bansho(self, *arguments: str) -> str:
        done = self.lab.nodes[0].run([BANSHO, "cluster", *arguments])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def home(self, name: str) -> str:
        found: str = json.loads(self.bansho("status", name, "--json"))[0]["home"]
        return found

    def counted(self) -> dict[str, int]:
        """Resource and node -> the failures counted, of both logical hosts."""
        failures = [
            each for name in self.places for each in json.loads(self.bansho("status", name, "--json"))[0]["failures"]
        ]
        return {f"{each['resource']} on {each['node']}": each["counted"] for each in failures}

    def settle(self) -> None:
        self.lab.nodes[0].run(["crm_resource", "--wait", "--timeout=60s"], check=True)

    def manager(self, name: str, suite: str) -> str:
        """The pid of a process manager, as the node sees it; "" while none runs."""
        return self.record(name, suite)[0]

    def record(self, name: str, suite: str) -> tuple[str, list[str]]:
        """The process manager's pid, and those of its services that live."""
        node = self.lab.node(self.home(name) or "n1")
        lines = node.run(["cat", f"/run/bansho/{name}/{suite}/record"]).stdout.splitlines()
        if len(lines) != 3:
            return "", []
        pids = [str(each["pid"]) for each in json.loads(lines[2])["services"] if each["pid"]]
        return lines[0].split()[4], pids

    def kill(self, name: str, suite: str, which: Callable[[str, list[str]], list[str]]) -> None:
        """Kills some of a suite, and waits until it runs again."""
        manager, pids = self.record(name, suite)
        self.lab.node(self.home(name)).run(["kill", "-9", *which(manager, pids)], check=True)
        until(lambda: self.manager(name, suite) not in ("", manager) and self.home(name) != "", f"{suite} restarts")
        self.settle()


def place(node: Node, path: str, text: str) -> None:
    node.run(["sh", "-c", f'mkdir -p "$(dirname {path})" && cat >{path}'], input=text, check=True)


def one(_manager: str, services: list[str]) -> list[str]:
    return services[:1]


def all_services(_manager: str, services: list[str]) -> list[str]:
    return services


def process_manager(manager: str, _services: list[str]) -> list[str]:
    return [manager]


def everything(manager: str, services: list[str]) -> list[str]:
    return [manager, *services]


WAYS = (one, all_services, process_manager, everything)


def test_each_failure_counts_exactly_once_and_nothing_else_counts(lab: Lab) -> None:
    hosts = Hosts(lab)
    hosts.register(*hosts.places, interval=POLLED, push=True)
    home, other = hosts.home("watch"), hosts.home("other")
    for number, which in enumerate(WAYS, 1):
        hosts.kill("other", "base", which)
        assert hosts.counted() == {f"other-base on {other}": number}, which
    hosts.kill("watch", "base", one)
    counted = {f"other-base on {other}": len(WAYS), f"watch-base on {home}": 1}
    assert hosts.counted() == counted

    left_alone_in_maintenance(hosts)
    counted[f"watch-manager on {home}"] = 1
    assert hosts.counted() == counted
    third = next(node.name for node in lab.nodes if node.name not in (home, other))
    hosts.bansho("move", "watch", third)
    hosts.bansho("standby", "on", other)
    hosts.bansho("standby", "off", other)
    hosts.settle()
    assert hosts.home("watch") == third
    assert hosts.home("other") != other
    assert hosts.counted() == counted, "nothing that the cluster itself does is a failure"

    hosts.register("other", interval=1, push=False)
    hosts.kill("other", "base", one)
    hosts.kill("other", "base", everything)
    del counted[f"other-base on {other}"]  # Pacemaker forgets the failures of a monitor that was changed
    assert hosts.counted() == counted | {f"other-base on {hosts.home('other')}": 2}, "so it is without the push"


def left_alone_in_maintenance(hosts: Hosts) -> None:
    """A failure is neither told nor mended, and is found when maintenance ends."""
    hosts.bansho("maintenance", "on", "watch")
    hosts.settle()
    before = hosts.counted()
    manager, services = hosts.record("watch", "manager")
    hosts.lab.node(hosts.home("watch")).run(["kill", "-9", services[0]], check=True)
    until(lambda: len(hosts.record("watch", "manager")[1]) == len(services) - 1, "it is noticed")
    hosts.settle()
    assert (hosts.counted(), hosts.manager("watch", "manager")) == (before, manager)
    hosts.bansho("maintenance", "off", "watch")
    until(lambda: hosts.manager("watch", "manager") not in ("", manager), "Manager restarts")
    until(lambda: hosts.home("watch") != "", "all of it runs")
    hosts.settle()
