"""What a comparison sets side by side: something that the cluster runs and that acknowledges writes by its address.

One of them is registered with the cluster at a time: they share nodes, disk, mount point and logical address.
"""

import signal
from abc import ABC, abstractmethod
from collections.abc import Iterable
from copy import copy
from pathlib import Path

from bansho.drill import takeover, trace
from bansho.drill.errors import NoTarget
from bansho.drill.faults import FAULTS, GROUPS, unfit
from bansho.drill.faults.fault import Fault, Scene
from bansho.drill.stage import HOST, SHARED, Sender, Stage, run, wait
from bansho.lab.node import Node

STAGED = {name: GROUPS[name] for name in ("pressure", "disk", "cluster", "network", "power")}
"""The groups of faults that strike the stage alone, nodes, disk, network and cluster: the same for each contender."""
COMMON = [fault for group in STAGED.values() for fault in group]
"""The faults of these groups."""
OWN = {
    "kill-server": "kill -9 of the server that acknowledges writes: the event service, or the postmaster",
    "freeze-server": "SIGSTOP of that server",
    "kill-postmaster": "kill -9 of the database's postmaster: the IM database's, or the same server again",
    "freeze-postmaster": "SIGSTOP of the database's postmaster",
}
"""The faults of a contender's own processes, what each means."""


class Contender(ABC):
    """One of those compared."""

    name: str
    title: str
    resource: str
    """The cluster's name of its group."""

    def __init__(self, stage: Stage, registered: str = "") -> None:
        """`registered`: its configuration of the cluster (cib.xml), where it is known."""
        self.stage, self.registered = stage, registered

    @property
    @abstractmethod
    def own_faults(self) -> Iterable[Fault]:
        """The faults of its own processes."""

    @property
    def faults(self) -> dict[str, Fault]:
        """Name -> fault; a name stands for the same thing with each contender."""
        found = [*self.own_faults, *(FAULTS[name] for name in COMMON)]
        return {fault.name: fault for fault in found if not unfit(fault, len(self.stage.lab.nodes))}

    @abstractmethod
    def running_on(self) -> Node | None:
        """The node on which all of it runs, as far as can be seen there; whether it answers only a write can tell."""

    @abstractmethod
    def send(self, rate: float, source: str) -> Sender:
        """Starts a sender outside."""

    @abstractmethod
    def stored(self, sender: Sender, source: str) -> list[int]:
        """The numbers it holds of a sender that has ended, once what was acknowledged has had time to get there."""

    def configuration(self) -> str:
        """What the cluster was told, as crmsh shows it."""
        return run(self.stage.lab.nodes[0], "show the configuration", ["crm", "configure", "show"])

    def keep_logs(self, folder: Path) -> None:
        """The cluster's logs, and what it says itself, to `folder`."""
        trace.keep_logs(self.stage, folder)

    def leave(self) -> None:
        """Stops it, wherever it runs."""
        run(self.stage.lab.nodes[0], f"stop {self.name}", ["crm", "--wait", "resource", "stop", self.resource])
        wait(f"{self.name} to let go of the disk", lambda: self.stage.active() is None)

    def enter(self) -> None:
        """Registers and starts it, where nothing else is; `registered` must be known."""
        replace = ["cibadmin", "--replace", "--scope", "configuration", "--xml-pipe"]
        run(self.stage.lab.nodes[0], f"register {self.name}", replace, self.registered)
        wait(f"{self.name} to run", lambda: self.running_on() is not None, state=self.stage.overview)


class Watch(Contender):
    """The logical host `watch`: an event is acknowledged once Base's event service has committed it."""

    name, title, resource = "bansho", "the logical host: Base and Manager", HOST

    @property
    def own_faults(self) -> Iterable[Fault]:
        """Its server for the sender is the event service; its database is another one."""
        yield renamed(FAULTS["kill-event-service"], "kill-server")
        yield renamed(FAULTS["freeze-event-service"], "freeze-server")
        yield from postmaster_faults(f"{SHARED}/database")

    def running_on(self) -> Node | None:
        """Where both suites are all running."""
        return self.stage.running_on()

    def send(self, rate: float, source: str) -> Sender:
        """Events."""
        return self.stage.send(rate, source)

    def stored(self, sender: Sender, source: str) -> list[int]:
        """From the IM database."""
        return takeover.settled(self.stage, sender, source)


class SignalPostmaster(Fault):
    """A signal to PostgreSQL's first process, found by its pid file."""

    def __init__(self, name: str, what: str, order: signal.Signals, data: str) -> None:
        self.name, self.what, self.order, self.data = name, what, order, data
        self._pid = ""

    def strike(self, scene: Scene) -> None:
        """Sends it. Raises NoTarget."""
        self._pid = pid_in(Path(f"/proc/{scene.victim.pid}/root{self.data}/postmaster.pid"))
        if not self._pid:
            raise NoTarget(what="PostgreSQL", node=scene.victim.name)
        run(scene.victim, self.what, ["kill", f"-{self.order.name.removeprefix('SIG')}", self._pid])

    def undo(self, scene: Scene) -> None:
        """Lets it go on where nobody ended it."""
        if scene.victim.on and self._pid == pid_in(Path(f"/proc/{scene.victim.pid}/root{self.data}/postmaster.pid")):
            scene.victim.run(["kill", "-CONT", self._pid])


def renamed(fault: Fault, name: str) -> Fault:
    """The same fault by another name."""
    same = copy(fault)
    same.name = name
    return same


def postmaster_faults(data: str, *names: str) -> list[Fault]:
    """Kill and freeze it; by other names where it is more than a contender's database."""
    kill, freeze = names or ("kill-postmaster", "freeze-postmaster")
    return [
        SignalPostmaster(kill, "kill -9 of the postmaster", signal.SIGKILL, data),
        SignalPostmaster(freeze, "SIGSTOP of the postmaster", signal.SIGSTOP, data),
    ]


def pid_in(path: Path) -> str:
    """The pid in the first line of a file; "" where there is none."""
    try:
        return path.read_text().partition("\n")[0].strip()
    except OSError:
        return ""
