"""A lab: building it, using it, ending it."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bansho.lab import building, corosync, ending, membership, mounts, network, powerlog, spec
from bansho.lab.errors import MachineUnfit, NoLab, NotDone, NotOnline, UnknownNode
from bansho.lab.node import Node
from bansho.lab.places import Places, alive, claim, last_line
from bansho.lab.requirements import missing
from bansho.lab.spec import OUTSIDE, Files, Running, Spec
from bansho.lab.watch import Watch
from bansho.lab.window import Window

ONLINE = 60.0
"""Seconds for the nodes to come online; 3 to 4 on two idle cores."""
FENCED = 60.0
"""Seconds for a fault to be noticed and the node fenced; 4 to 5 on two idle cores."""
LOOK = 0.02
"""Seconds between two looks into the power log."""


class Lab:
    """A lab that is up. As a context manager it goes down at the end."""

    def __init__(self, name: str, places: Places, tie: int | None = None) -> None:
        self.places, self._tie = places, tie
        try:
            self.spec = msgspec.json.decode(places.spec.read_bytes(), type=Spec)
            self.running = msgspec.json.decode(places.running.read_bytes(), type=Running)
        except (OSError, msgspec.DecodeError):
            raise NoLab(name=name) from None

    @classmethod
    def up(
        cls,
        name: str = "lab",
        nodes: int = 3,
        disk_size: str = "512M",
        users: Iterable[str] = (),
        readable: Iterable[str | Path] = (),
        files: Files | None = None,
        online: bool = True,
        tied: bool = False,
        boot_delay: float = 0.0,
    ) -> "Lab":
        """Builds a lab, and waits until its nodes are online in Pacemaker (unless `online` is false).

        `users`: system users made in the nodes. `readable`: paths of the host that everyone may reach and list
        in the nodes. `files`: path in the node -> (content, mode), placed at every boot. None touches the host.
        `tied`: the lab dies with this process, however that ends. `boot_delay`: seconds before a node that was reset
        or fenced boots again, as a machine's firmware takes.

        Raises BadSetting, MachineUnfit, LabExists, NotBuilt and NotOnline; after these nothing is left.
        """
        asked = _specification(name, nodes, disk_size, users, readable)
        asked = msgspec.structs.replace(asked, tied=tied, boot_delay=boot_delay)
        placed = {spec.node_path(path): file for path, file in (files or {}).items()}
        if lacking := missing():
            raise MachineUnfit(missing="; ".join(lacking))
        places = Places.of(name)
        held = claim(places)
        try:
            tie = building.build(asked, placed, places, held)
            lab = cls(name, places, tie)
            if online:
                lab.wait_online()
        except BaseException:
            os.close(held)
            ending.end(places)
            raise
        os.close(held)
        return lab

    @classmethod
    def open(cls, name: str = "lab") -> "Lab":
        """The lab of that name, started by whomever; raises NoLab."""
        places = Places.of(spec.lab_name(name))
        if not alive(places):
            raise NoLab(name=name)
        return cls(name, places)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def nodes(self) -> list[Node]:
        """The cluster's nodes."""
        return [Node(self, name) for name in self.spec.nodes]

    @property
    def outside(self) -> Node:
        """The host on the network that is no member and has no cluster software running."""
        return Node(self, OUTSIDE)

    def node(self, name: str) -> Node:
        """A node, or the host outside; raises UnknownNode."""
        if name not in self.spec.hosts:
            raise UnknownNode(name=self.spec.name, node=name, nodes=", ".join(self.spec.hosts))
        return Node(self, name)

    @property
    def pid(self) -> int:
        """The host's pid of the lab's pid 1, in whose network namespace the bridge is."""
        return int(self.places.daemon.read_text())

    @property
    def disk(self) -> str:
        """The shared disk's device, on every node: an ext4, mounted nowhere."""
        return self.running.disk

    @property
    def logical_address(self) -> str:
        """An address with its prefix length that no host has."""
        return network.LOGICAL_ADDRESS

    @property
    def fencing(self) -> str:
        """The line for `crm configure` that gives the cluster its fencing."""
        return corosync.fencing(self.spec.nodes)

    def address(self, name: str) -> str:
        """A host's own address."""
        return network.address(self.node(name).name)

    def power_log(self) -> list[powerlog.Entry]:
        """What happened to the nodes' power and cables so far."""
        return list(powerlog.read(self.places.log))

    def wait_power(
        self, action: str, node: str, by: str | None = None, after: float = 0.0, limit: float = FENCED
    ) -> powerlog.Entry:
        """Waits until the power log says that `action` was done to `node`, by whomever or `by`: that entry.

        Entries before the monotonic time `after` do not count. Raises NotDone after `limit` seconds.
        """
        until = time.monotonic() + limit
        while time.monotonic() < until:
            for entry in self.power_log():
                if entry.answers(action, node, by) and entry.monotonic > after:
                    return entry
            time.sleep(LOOK)
        raise NotDone(name=self.spec.name, action=action, node=node, limit=limit)

    def window(self, target: str, port: int = 0) -> Window:
        """Opens a port of the host's 127.0.0.1 that leads to `target` (ADDRESS:PORT) in the lab; 0: a free one.

        Raises BadSetting and WindowRefused.
        """
        return Window(f"/proc/{self.pid}/ns/net", target, port)

    def watch(self, address: str | None = None) -> Watch:
        """An observer of who holds the shared disk and the logical address (or `address`), for a `with` statement."""
        return Watch(self, address)

    def wait_online(self, *names: str, limit: float = ONLINE) -> None:
        """Waits until the nodes named, or all that have power, are online in Pacemaker; raises NotOnline."""
        wanted = [self.node(name) for name in names] or [node for node in self.nodes if node.on]
        absent = membership.absent(wanted, limit)
        if absent:
            first = min(absent)
            console = f"{self.places.console(first)}: {last_line(self.places.console(first))}"
            raise NotOnline(name=self.spec.name, limit=limit, nodes=", ".join(sorted(absent)), console=console)

    def down(self) -> None:
        """Ends the lab; nothing is left of it. Raises NotDown."""
        ending.end(self.places)
        if self._tie is not None:
            os.close(self._tie)
            self._tie = None


def _specification(name: str, nodes: int, size: str, users: Iterable[str], readable: Iterable[str | Path]) -> Spec:
    paths = [spec.host_folder(path) for path in readable]
    return Spec(
        name=spec.lab_name(name),
        nodes=spec.node_names(nodes),
        disk_size=spec.disk_size(size),
        users=spec.user_names(users),
        readable=mounts.with_parents(paths),
        layers=mounts.layers(mounts.of_host(), paths),
    )
