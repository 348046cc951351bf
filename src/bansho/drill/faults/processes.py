"""Faults of single processes: killed, or stopped so that they live and do nothing."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

from bansho.contract.suites import COMMANDS
from bansho.drill import census
from bansho.drill.census import Found
from bansho.drill.errors import NoTarget
from bansho.drill.faults.cluster import Move
from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.drill.stage import mounted
from bansho.process import identity


class KillService(Fault):
    """SIGKILL to a service. One failure is below the cluster's threshold: it restarts the suite where it is."""

    expected: Expected = "stays"
    may_fence = False
    shows = True
    touches = frozenset({"processes"})

    def __init__(self, suite: str, service: str) -> None:
        self.suite, self.service = suite, service
        self.name, self.what = f"kill-{service}", f"kill -9 of {service}"

    def strike(self, scene: Scene) -> None:
        """Kills its first process."""
        os.kill(service(scene, self.suite, self.service).pid, signal.SIGKILL)


class FreezeService(Fault):
    """SIGSTOP to a service: it lives, its port is open, and it does nothing. Its watchdog notices."""

    undone = "by the cluster, which ends it; SIGCONT to what is left"
    expected: Expected = "stays"
    may_fence = False
    shows = True
    hold = 30.0

    def __init__(self, suite: str, service: str) -> None:
        self.suite, self.service = suite, service
        self.name, self.what = f"freeze-{service}", f"SIGSTOP of {service}"
        self._frozen: Found | None = None

    def strike(self, scene: Scene) -> None:
        """Stops its first process."""
        self._frozen = service(scene, self.suite, self.service)
        os.kill(self._frozen.pid, signal.SIGSTOP)

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Lets it go on if it still lives."""
        go_on(self._frozen)


class KillManager(Fault):
    """SIGKILL to a process manager: its services live on without one."""

    expected: Expected = "stays"
    may_fence = False
    shows = True
    touches = frozenset({"processes"})

    def __init__(self, suite: str) -> None:
        self.suite = suite
        self.name, self.what = f"kill-{suite}-manager", f"kill -9 of {suite}'s process manager"

    def strike(self, scene: Scene) -> None:
        """Kills the process manager, not its guardian."""
        os.kill(manager(scene, self.suite).pid, signal.SIGKILL)


class FreezeManager(Fault):
    """SIGSTOP to a process manager: its record grows old."""

    undone = "by the cluster, which ends it; SIGCONT to what is left"
    expected: Expected = "stays"
    may_fence = False
    shows = True
    hold = 30.0

    def __init__(self, suite: str) -> None:
        self.suite = suite
        self.name, self.what = f"freeze-{suite}-manager", f"SIGSTOP of {suite}'s process manager"
        self._frozen: Found | None = None

    def strike(self, scene: Scene) -> None:
        """Stops the process manager, not its guardian."""
        self._frozen = manager(scene, self.suite)
        os.kill(self._frozen.pid, signal.SIGSTOP)

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Lets it go on if it still lives."""
        go_on(self._frozen)


class StrikeGuardian(Fault):
    """A signal to a process manager's guardian, which does nothing but collect: all runs on, the next stop is clean.

    The operator's move brings that stop, so that what it leaves is seen in the same round.
    """

    undone = "by the operator's move, after which the suite has another guardian; SIGCONT to what is left"
    expected: Expected = "moves"
    may_fence = False
    heals = False
    hold = 5.0

    def __init__(self, suite: str, verb: str, number: signal.Signals) -> None:
        self.suite, self._signal, self._move = suite, number, Move()
        self.name, self.what = f"{verb}-{suite}-guardian", f"{number.name} to the guardian of {suite}'s process manager"
        self._struck: Found | None = None

    def strike(self, scene: Scene) -> None:
        """Signals the guardian, not its process manager."""
        self._struck = guardian(scene, self.suite)
        os.kill(self._struck.pid, self._signal)

    def undo(self, scene: Scene) -> None:
        """Moves the logical host away, where it still is there, and lets the guardian go on if it still lives."""
        try:
            if mounted(scene.victim):
                self._move.strike(scene)
                scene.stage.wait_up(elsewhere_than=scene.victim.name)
                self._move.undo(scene)
        finally:
            go_on(self._struck)


def service(scene: Scene, suite: str, name: str) -> Found:
    """The service's first process on the victim. Raises NoTarget."""
    found = census.main_processes(census.take(scene.stage.lab).get(scene.victim.name, ())).get((suite, name))
    if found is None:
        raise NoTarget(what=name, node=scene.victim.name)
    return found


def manager(scene: Scene, suite: str) -> Found:
    """The suite's process manager on the victim. Raises NoTarget."""
    found = (each for each in _of(scene, suite) if each.is_manager)
    return _first(found, f"{suite}'s process manager", scene)


def guardian(scene: Scene, suite: str) -> Found:
    """The guardian of the suite's process manager on the victim. Raises NoTarget."""
    found = (each for each in _of(scene, suite) if each.is_guardian)
    return _first(found, f"the guardian of {suite}'s process manager", scene)


def _of(scene: Scene, suite: str) -> Iterator[Found]:
    return (each for each in census.take(scene.stage.lab).get(scene.victim.name, ()) if each.suite == suite)


def _first(found: Iterator[Found], what: str, scene: Scene) -> Found:
    if first := next(found, None):
        return first
    raise NoTarget(what=what, node=scene.victim.name)


def go_on(process: Found | None) -> None:
    """SIGCONT, if it is still the same process."""
    if process and identity.lives(process.pid, process.ticks):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)


SERVICES = [(suite, name) for suite in COMMANDS for name in sorted(census.service_names(suite))]
FAULTS: list[Fault] = [
    *(KillService(suite, name) for suite, name in SERVICES),
    *(FreezeService(suite, name) for suite, name in SERVICES),
    *(KillManager(suite) for suite in COMMANDS),
    *(FreezeManager(suite) for suite in COMMANDS),
    *(StrikeGuardian(suite, "kill", signal.SIGKILL) for suite in COMMANDS),
    *(StrikeGuardian(suite, "freeze", signal.SIGSTOP) for suite in COMMANDS),
]
