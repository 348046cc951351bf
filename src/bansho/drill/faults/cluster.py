"""Faults of the cluster software, and what its operators do."""

import os
import signal
from pathlib import Path

from bansho.drill.errors import NoTarget
from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.drill.stage import run
from bansho.lab.errors import NodeOff
from bansho.process import identity
from bansho.process.identity import Stat

PACEMAKER = [f"pacemaker-{each}" for each in ("attrd", "schedulerd", "fenced", "execd", "controld", "based")]
"""The daemons that pacemakerd starts and watches."""
PACEMAKERD = """
export PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none
exec setsid --fork pacemakerd </dev/null >/dev/null 2>&1
"""


class KillDaemon(Fault):
    """SIGKILL to one of the cluster's daemons on the active node; what starts it again does so at once."""

    hold = 10.0

    def __init__(self, daemon: str, expected: Expected) -> None:
        self.daemon = daemon
        self.name, self.what = f"kill-{daemon}", f"kill -9 of {daemon}"
        self.expected = expected

    def strike(self, scene: Scene) -> None:
        """Kills it."""
        os.kill(daemon(scene, self.daemon), signal.SIGKILL)


class KillPacemakerd(KillDaemon):
    """SIGKILL to the one that starts and watches the others, which live on; a lab's node has nobody to restart it."""

    undone = "started again, as a service manager does"
    heals = False

    def __init__(self) -> None:
        super().__init__("pacemakerd", "either")

    def undo(self, scene: Scene) -> None:
        """Starts it where its node still runs without it."""
        try:
            daemon(scene, self.daemon)
        except NodeOff:
            return
        except NoTarget:
            run(scene.victim, "start pacemakerd", ["sh", "-c", PACEMAKERD])


class FreezeDaemon(Fault):
    """SIGSTOP to one of Pacemaker's daemons on the active node: nothing is wrong with the logical host itself."""

    undone = "by the cluster, which ends it or its node; SIGCONT to what is left"
    heals = False

    def __init__(self, daemon: str) -> None:
        self.daemon = daemon
        self.name, self.what = f"freeze-{daemon}", f"SIGSTOP of {daemon}"
        self._frozen: Stat | None = None

    def strike(self, scene: Scene) -> None:
        """Stops it."""
        pid = daemon(scene, self.daemon)
        self._frozen = identity.stat(pid)
        os.kill(pid, signal.SIGSTOP)

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Lets it go on if it still lives."""
        if self._frozen and identity.lives(self._frozen.pid, self._frozen.ticks):
            os.kill(self._frozen.pid, signal.SIGCONT)


class FreezeCorosync(Fault):
    """SIGSTOP to Corosync: its node still holds everything, and the others hear nothing of it."""

    name, what = "freeze-corosync", "SIGSTOP of corosync"
    undone = "by fencing"
    expected: Expected = "moves"

    def strike(self, scene: Scene) -> None:
        """Stops it."""
        os.kill(daemon(scene, "corosync"), signal.SIGSTOP)


class Move(Fault):
    """The operator moves the logical host to another node."""

    name, what = "move", "operator's move"
    undone = "the constraint removed"
    expected: Expected = "moves"
    may_fence = False

    def strike(self, scene: Scene) -> None:
        """Moves it."""
        there = scene.random.choice(scene.standbys).name
        run(scene.victim, "move", ["crm_resource", "--move", "--resource", scene.resource, "--node", there])

    def undo(self, scene: Scene) -> None:
        """Removes what the move left in the configuration."""
        run(scene.operator, "clear the move", ["crm_resource", "--clear", "--resource", scene.resource])


class Standby(Fault):
    """The operator puts the active node to rest."""

    name, what = "standby", "operator puts the active node to rest"
    undone = "back online"
    expected: Expected = "moves"
    may_fence = False

    def strike(self, scene: Scene) -> None:
        """Standby on."""
        run(scene.victim, "standby", ["crm", "node", "standby", scene.victim.name])

    def undo(self, scene: Scene) -> None:
        """Standby off."""
        run(scene.operator, "online", ["crm", "node", "online", scene.victim.name])


class Stop(Fault):
    """The operator stops the logical host: nothing of it may be left on any node."""

    name, what = "stop", "operator stops the logical host, and starts it again"
    undone = "started"
    may_fence = False
    heals = False
    rests = True
    hold = 0.0

    def strike(self, scene: Scene) -> None:
        """Stops it and waits."""
        run(scene.victim, "stop", ["crm", "--wait", "resource", "stop", scene.resource])

    def undo(self, scene: Scene) -> None:
        """Starts it."""
        run(scene.operator, "start", ["crm", "resource", "start", scene.resource])


def daemon(scene: Scene, name: str) -> int:
    """This machine's pid of a daemon on the victim. Raises NoTarget."""
    space = Path(f"/proc/{scene.victim.pid}/ns/pid").readlink()
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _is(process, name[:15], space):
            return int(process.name)
    raise NoTarget(what=name, node=scene.victim.name)


def _is(process: Path, name: str, space: Path) -> bool:
    try:
        return (process / "comm").read_text().strip() == name and (process / "ns/pid").readlink() == space
    except OSError:
        return False


FAULTS: list[Fault] = [
    Stop(),
    Move(),
    Standby(),
    *(FreezeDaemon(daemon) for daemon in PACEMAKER),
    *(KillDaemon(daemon, "either") for daemon in PACEMAKER),
    FreezeDaemon("pacemakerd"),
    KillPacemakerd(),
    KillDaemon("corosync", "moves"),
    FreezeCorosync(),
]
