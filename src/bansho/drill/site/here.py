"""The logical host as one node of its cluster sees and operates it: by its commands and by Pacemaker's programs."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from bansho.cluster.install import OUR_COMMANDS
from bansho.cluster.pacemaker import operate
from bansho.cluster.pacemaker.cib import Cib
from bansho.cluster.pacemaker.status import HostStatus
from bansho.contract import operation
from bansho.contract.suites import COMMANDS
from bansho.drill.round import RECOVERY
from bansho.drill.stage import wait
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.node import identity

KILLED = 124
"""Stands for the value of a command that gave no answer in time, as `timeout` has it."""


class Here(NamedTuple):
    """A logical host, and the node on which the drill runs."""

    host: LogicalHost
    node: str

    @property
    def name(self) -> str:
        """The logical host's name."""
        return self.host.name

    def status(self) -> HostStatus:
        """What the cluster says of it. Raises NotRegistered, ToolMissing or ToolFailed."""
        return operate.current(self.name)

    def command(self, suite: str, order: str) -> list[str]:
        """The command line of an order (`start`, `stop`, `status`, `killall`) to a suite."""
        cluster = self.host.cluster
        folders = {"base": cluster.base_commands, "manager": cluster.manager_commands}[suite] or str(OUR_COMMANDS)
        name = getattr(COMMANDS[suite], order)
        return [shutil.which(name, path=folders) or name, *(["-h"] if order == "status" else []), self.name]

    def value(self, suite: str, *options: str, patience: float | None = None) -> int:
        """What the suite's status command answers here (CONTRACT 3.2)."""
        return call([*self.command(suite, "status"), *options], patience)

    def all_running(self) -> bool:
        """Whether both suites say so here."""
        return all(self.value(suite) == operation.ALL_RUNNING for suite in COMMANDS)

    def up_on(self) -> str:
        """The node on which all of it runs, by the cluster, and here by the suites themselves too; "" for none."""
        found = self.status()
        started = all(each.role == "Started" and not each.failed for each in found.resources)
        if not started or (found.home == self.node and not self.all_running()):
            return ""
        return found.home

    def wait_up(self, limit: float) -> str:
        """Waits until all of it runs: the node. Raises NotReached after `limit` seconds."""
        found = [""]

        def reached() -> bool:
            found[0] = self.up_on()
            return bool(found[0])

        wait(f"{self.name} to be all running", reached, limit, self.overview)
        return found[0]

    def overview(self) -> dict[str, str]:
        """Where each of its resources is, for a message."""
        return {each.id: " ".join([each.role, *each.nodes]) for each in self.status().resources}

    def come_home(self) -> None:
        """Moves it back to this node, once it runs at all. Raises NotReached or DidNotMove."""
        if self.wait_up(RECOVERY) != self.node:
            operate.move(self.name, self.node, RECOVERY)
            self.wait_up(RECOVERY)

    def forget_failures(self) -> None:
        """Has the cluster forget the failures of this logical host, counted since the drill began: there were none.

        Only once the cluster has nothing left to do: a clean-up loses the result of an action that is under way, and
        the cluster takes that for a failure when its time has passed (Pacemaker 2.1.5).
        """
        operate.settle(RECOVERY)
        if self.status().failures:
            Cib().run("crm_resource", "--cleanup", "--resource", self.name)
            operate.settle(RECOVERY)


def here(name: str) -> Here:
    """The logical host of that name, here. Raises BanshoError as `definition.load` does."""
    return Here(definition.load(name), identity().node)


def call(command: Sequence[str], patience: float | None = None) -> int:
    """A command's value; KILLED where it gave none in time, 127 where there is none."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run(command, **quiet, timeout=patience, check=False).returncode  # type: ignore[call-overload, no-any-return]
    except subprocess.TimeoutExpired:
        return KILLED
    except FileNotFoundError:
        return 127


def is_root() -> bool:
    """Whether this process may operate the cluster and signal the services."""
    return os.geteuid() == 0
