"""Faults around the contract's commands: cut short half-way, given on two nodes, met by what an older life left."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL

from bansho.contract.suites import COMMANDS
from bansho.drill.errors import NoTarget
from bansho.drill.faults.cluster import daemon
from bansho.drill.faults.database import postmaster
from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.drill.faults.processes import service
from bansho.drill.stage import HOST, MOUNT_POINT, PROGRAMS, SHARED, USER, run, wait
from bansho.lab.node import Node, Program

RUN = Path("run/bansho", HOST)
RECYCLED = 30_000
"""The pid that another program has on every standby."""


class CutShort(Fault):
    """A limit of the cluster's passes in the middle of a start or stop: agent and command die of SIGKILL there."""

    expected: Expected = "either"
    touches = frozenset({"processes"})

    def __init__(self, name: str, order: str, suite: str, service: str) -> None:
        self.name, self._order, self._suite, self._service = name, order, suite, service
        self.command = getattr(COMMANDS[suite], order)
        self.what = f"SIGKILL to the agent's {order} and {self.command} half-way"

    @property
    def mark(self) -> bytes:
        """What the command's own command line has in it, and no other's (bin/, in `bansho.commands`)."""
        return f'run("{self._order}")\0{self._suite}\0'.encode()

    def strike(self, scene: Scene) -> None:
        """Makes the cluster give the order by a service's death, and kills it as soon as it runs."""
        os.kill(service(scene, self._suite, self._service).pid, signal.SIGKILL)
        executor = daemon(scene, "pacemaker-execd")
        chain: list[int] = []

        def runs() -> bool:
            chain[:] = _operation(executor, self.mark)
            return bool(chain)

        wait(f"{self.command} to run", runs, look=0.001)
        for pid in chain:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class StartElsewhere(Fault):
    """The disk is mounted on a second node by mistake, and the suites are started there: the lease must refuse."""

    name, what = "start-on-two", "disk mounted on a standby too, and both suites started there"
    undone = "unmounted there"
    expected: Expected = "stays"
    may_fence = False
    harmless = True
    heals = False
    hold = 5.0
    touches = frozenset({"disk", "second mount"})

    def strike(self, scene: Scene) -> None:
        """Starts them, both at once."""
        node = scene.random.choice(scene.standbys)
        run(node, "mount the disk", ["mount", scene.stage.lab.disk, MOUNT_POINT])
        try:
            starts = [node.popen([str(PROGRAMS / names.start), HOST], stderr=DEVNULL) for names in COMMANDS.values()]
            for start in starts:
                with start:
                    start.wait(timeout=90)
        finally:
            run(node, "unmount the disk", ["umount", MOUNT_POINT])


class Leftovers(Fault):
    """Every standby has the files of an older life of the suites, and the active node loses power: one must start."""

    undone = "by fencing, which boots it; files removed where it did not start"
    expected: Expected = "moves"

    def __init__(self, name: str, what: str, *, recycled: bool) -> None:
        self.name, self.what, self._recycled = name, what, recycled
        self._programs: list[tuple[Node, Program]] = []

    def strike(self, scene: Scene) -> None:
        """Plants them, then cuts the power."""
        for node in scene.standbys:
            self._plant(scene.victim, node)
        if self._recycled:
            self._occupy(scene)
        scene.victim.power("loss")

    def undo(self, scene: Scene) -> None:
        """Ends the programs, and removes the files where no process manager has made its own."""
        while self._programs:
            node, program = self._programs.pop()
            with program:
                if program.poll() is None:
                    node.run(["kill", "-9", str(RECYCLED)])
        active = scene.stage.active()
        for node in scene.stage.lab.nodes:
            if node.on and (active is None or node.name != active.name):
                for path in _planted(node):
                    path.unlink(missing_ok=True)

    def _plant(self, victim: Node, node: Node) -> None:
        """The victim's records as they are; with `recycled`, as if written in this boot by a program that lives."""
        for suite in COMMANDS:
            text = _root(victim).joinpath(RUN, suite, "record").read_text()
            marks = text.split(" ")
            if self._recycled:
                marks[3:5] = [node.boot_id(), str(RECYCLED)]
            folder = _root(node).joinpath(RUN, suite)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "record").write_text(" ".join(marks))
            for name in ("control.sock", "spmd.lock", "order.lock"):
                (folder / name).write_text(f"{RECYCLED}\n")

    def _occupy(self, scene: Scene) -> None:
        """On each standby a program of the database's user has the pid that `postmaster.pid` names."""
        script = f"echo {RECYCLED - 1} >/proc/sys/kernel/ns_last_pid; setpriv --reuid {USER} sleep 600 & wait"
        for node in scene.standbys:
            self._programs.append((node, node.popen(["sh", "-c", script])))
            wait("the pid to be taken", lambda node=node: _root(node).joinpath("proc", str(RECYCLED)).exists())  # type: ignore[misc]
        old = postmaster(scene.victim)
        if not old:
            raise NoTarget(what="PostgreSQL", node=scene.victim.name)
        path = f"{SHARED}/database/postmaster.pid"
        run(scene.victim, "name another pid", ["sh", "-c", f"sed -i 1s/.*/{RECYCLED}/ {path} && sync {path}"])


def _operation(pid: int, command: bytes) -> list[int]:
    """The processes from a child of `pid`, the agent, down to the one that runs the command; none where none does."""
    for child in _children(pid):
        below = _operation(child, command)
        if below or command in _command_line(child):
            return [child, *below]
    return []


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _planted(node: Node) -> Iterator[Path]:
    for suite in COMMANDS:
        folder = _root(node).joinpath(RUN, suite)
        yield from (folder / name for name in ("record", "control.sock"))


def _root(node: Node) -> Path:
    return Path(f"/proc/{node.pid}/root")


FAULTS: list[Fault] = [
    StartElsewhere(),
    CutShort("stop-cut-short", "stop", "manager", "event-console"),
    CutShort("start-cut-short", "start", "manager", "event-console"),
    CutShort("base-stop-cut-short", "stop", "base", "event-service"),
    CutShort("base-start-cut-short", "start", "base", "event-service"),
    Leftovers("stale-record", "records and locks of an older boot on every standby, and power loss", recycled=False),
    Leftovers(
        "recycled-pid", "the pid of each record and of postmaster.pid lives again, and power loss", recycled=True
    ),
]
