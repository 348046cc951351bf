"""The announced faults: what an operator of the cluster may do to it, each with what its users will notice."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Literal
from xml.etree.ElementTree import Element

from bansho.cluster.pacemaker import operate, status
from bansho.cluster.pacemaker.cib import Cib
from bansho.contract.suites import COMMANDS
from bansho.drill.census import main_processes
from bansho.drill.errors import NoTarget, UnknownFault
from bansho.drill.faults.fault import Expected
from bansho.drill.round import RECOVERY
from bansho.drill.site import local
from bansho.drill.site.errors import NeedsFlag, NoPlace, NotAsAnnounced
from bansho.drill.site.here import Here
from bansho.process import definition

RESET_FLAG = "--with-reset"
Outage = Literal["restart", "takeover", "reset"]
"""How long nothing runs: a restart where it is, a stop here and a start elsewhere, or a node's death and a start."""


class Announced(ABC):
    """One fault. Its attributes are what a person reads before it is let loose."""

    name: str
    what: str
    outage: Outage = "restart"
    undone: str = "by the cluster, which starts it again here; its count of failures cleared"
    expected: Expected = "stays"
    heals: bool = True
    """Whether the cluster alone must bring the logical host back; else it is due after `undo`."""
    rests: bool = False
    """Whether nothing can start on this node until `undo`."""
    may_fence: bool = False
    flag: str = ""
    """The option without which it is not done."""

    def aimed(self, here: Here) -> "Announced":  # noqa: ARG002 - most strike the node that they are called on
        """The fault with the node that it will strike, which is announced: no other one may be. Raises NoPlace."""
        return self

    def node(self, here: Here) -> str:
        """Which node it strikes."""
        return here.node

    def prepare(self, here: Here) -> None:  # noqa: B027 - most need nothing
        """Does what must be so before the fault; it is announced with it."""

    def by_hand(self, here: Here) -> str:
        """What undoes it if the drill itself cannot."""
        return f"crm_resource --cleanup --resource {here.name}"

    @abstractmethod
    def strike(self, here: Here) -> None:
        """Does it."""

    def undo(self, here: Here) -> None:  # noqa: B027 - most are undone by the cluster
        """Undoes it; may be called where nothing was done yet."""


class Stop(Announced):
    """The operator stops the logical host, and starts it again."""

    name, what = "stop", "the operator stops the logical host, and starts it again"
    undone = "started"
    expected: Expected = "either"
    heals, rests = False, True

    def strike(self, here: Here) -> None:
        """Stops it and waits."""
        Cib().run("crm_resource", *self._role(here), "--set-parameter", "target-role", "--parameter-value", "Stopped")
        operate.settle(RECOVERY)

    def by_hand(self, here: Here) -> str:
        """Starts it."""
        return f"crm resource start {here.name}"

    def undo(self, here: Here) -> None:
        """Lets it start."""
        Cib().run("crm_resource", *self._role(here), "--delete-parameter", "target-role")

    def _role(self, here: Here) -> Sequence[str]:
        return ("--resource", here.name, "--meta")


class Move(Announced):
    """The operator moves the logical host away."""

    name, what = "move", "the operator moves the logical host to another node"
    outage: Outage = "takeover"
    undone = "the constraint of the move removed; moved back, which is a second such outage"
    expected: Expected = "moves"

    def strike(self, here: Here) -> None:
        """Moves it, and removes the constraint."""
        operate.move(here.name, None, RECOVERY)

    def by_hand(self, here: Here) -> str:
        """Removes the constraint."""
        return f"crm_resource --clear --resource {here.name}; bansho cluster move {here.name} {here.node}"

    def undo(self, here: Here) -> None:
        """Removes the constraint where the move was cut short."""
        Cib().run("crm_resource", "--resource", here.name, "--clear")


class Standby(Announced):
    """The operator puts this node to rest, with whatever else runs on it."""

    name, what = "standby", "the operator puts this node to rest, and everything that runs on it moves"
    outage: Outage = "takeover"
    undone = "the node back online; the logical host moved back, which is a second such outage"
    expected: Expected = "moves"
    rests = True

    def strike(self, here: Here) -> None:
        """Standby on."""
        operate.standby(here.node, True, RECOVERY)

    def by_hand(self, here: Here) -> str:
        """Standby off."""
        return f"bansho cluster standby off {here.node}; bansho cluster move {here.name} {here.node}"

    def undo(self, here: Here) -> None:
        """Standby off."""
        operate.standby(here.node, False, RECOVERY)


class Kill(Announced):
    """SIGKILL to a process on this node."""

    def __init__(self, name: str, what: str, suite: str, service: str) -> None:
        self.name, self.what = f"kill-{name}", f"kill -9 of {what}"
        self.suite, self.service = suite, service

    def strike(self, here: Here) -> None:
        """Kills the first process of the service; without one, the process manager itself. Raises NoTarget."""
        found = local.processes(here)
        main = main_processes(found).get((self.suite, self.service))
        manager = next((each for each in found if each.is_manager and each.suite == self.suite), None)
        target = main if self.service else manager
        if target is None:
            raise NoTarget(what=self.what, node=here.node)
        os.kill(target.pid, signal.SIGKILL)


class KillPostmaster(Announced):
    """SIGKILL to PostgreSQL's first process: its database must recover."""

    name, what = "kill-postmaster", "kill -9 of PostgreSQL's first process; the database recovers"

    def strike(self, here: Here) -> None:
        """Kills it, by its pid file. Raises NoTarget."""
        with suppress(OSError, ValueError):
            pid = int((here.host.shared.database / "postmaster.pid").read_text().partition("\n")[0])
            if pid in {each.pid for each in local.processes(here)}:
                os.kill(pid, signal.SIGKILL)
                return
        raise NoTarget(what="PostgreSQL", node=here.node)


class Reset(Announced):
    """The fencing device resets the node that runs the logical host: first it is moved off this one."""

    name, what = "reset", "the logical host is moved to another node, and the fencing device resets that node"
    outage: Outage = "reset"
    undone = "by the reset, after which the node joins again; the logical host moved back"
    expected: Expected = "moves"
    may_fence = True
    flag = RESET_FLAG

    def __init__(self, node: str = "") -> None:
        self._node = node

    def aimed(self, here: Here) -> "Reset":
        """At another node of the logical host's that carries nothing but fencing devices."""
        seen = status.look(Cib())
        online = [each.name for each in here.status().nodes if each.state == "online"]
        others = [each for each in online if each in here.host.cluster.nodes and each != here.node]
        free = [each for each in others if not carried(seen, each)]
        if not free:
            raise NoPlace(fault=self.name, nodes=", ".join(online))
        return Reset(free[0])

    def node(self, here: Here) -> str:  # noqa: ARG002 - it was announced
        """The one it was aimed at."""
        return self._node

    def prepare(self, here: Here) -> None:
        """Moves it there, to stay."""
        self._require_free(here)
        operate.move(here.name, self._node, RECOVERY)

    def strike(self, here: Here) -> None:
        """Resets the node that was announced, where the logical host runs there, and alone. Raises NotAsAnnounced."""
        home = here.status().home
        if home != self._node or home in {"", here.node}:
            raise NotAsAnnounced(node=self._node, found=f"{here.name} runs {f'on {home}' if home else 'nowhere whole'}")
        self._require_free(here)
        Cib().run("stonith_admin", "--reboot", self._node, patience=RECOVERY)

    def _require_free(self, here: Here) -> None:
        own = {each.id for each in here.status().resources}
        if others := [each for each in carried(status.look(Cib()), self._node) if each not in own]:
            raise NotAsAnnounced(node=self._node, found=f"it carries {', '.join(others)}")

    def undo(self, here: Here) -> None:
        """Waits until every node of the logical host's is back."""
        until = time.monotonic() + RECOVERY
        while time.monotonic() < until:
            if all(each.state == "online" for each in here.status().nodes if each.name in here.host.cluster.nodes):
                return
            time.sleep(1)


def carried(seen: Element, node: str) -> list[str]:
    """The ids of what runs on a node by the cluster's status, fencing devices aside."""
    return [
        resource.get("id", "")
        for resource in seen.findall(".//resource")
        if not (resource.get("resource_agent") or "").startswith("stonith:")
        and node in {each.get("name") for each in resource.findall("node")}
    ]


GENERAL: list[Announced] = [KillPostmaster(), Stop(), Move(), Standby(), Reset()]
"""Those that are the same for every logical host."""


def faults(here: Here) -> dict[str, Announced]:
    """Name -> fault, gentlest first; of the services that the definition on the shared disk requires."""
    services = [
        Kill(service.name, service.name, suite, service.name)
        for suite in COMMANDS
        for service in definition.load(here.host, suite).enabled.values()
    ]
    managers = [Kill(f"{suite}-manager", f"the process manager of {suite}", suite, "") for suite in COMMANDS]
    return {fault.name: fault for fault in [*services, *managers, *GENERAL]}


def chosen(known: dict[str, Announced], names: Iterable[str], flags: Iterable[str]) -> list[Announced]:
    """The faults named; without a name, all that need no flag, or have it. Raises UnknownFault or NeedsFlag."""
    given = {"", *flags}
    wanted = list(names) or [name for name, fault in known.items() if fault.flag in given]
    for name in wanted:
        if name not in known:
            raise UnknownFault(name=name, names=", ".join(known))
        if known[name].flag not in given:
            raise NeedsFlag(name=name, flag=known[name].flag, what=known[name].what)
    return [known[name] for name in wanted]
