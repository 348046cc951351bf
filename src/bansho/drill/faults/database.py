"""Faults of the IM database."""

import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE

from bansho.drill.errors import NoTarget
from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.drill.stage import HOST, SHARED, run, wait
from bansho.lab.node import Node, Program

HOLD_ALL = """
import sys, threading
import psycopg
from bansho.database.connection import conninfo
from bansho.logicalhost.definition import load
held = []
try:
    while True:
        held.append(psycopg.connect(conninfo(load(sys.argv[1]))))
except psycopg.OperationalError:
    print(len(held), flush=True)
threading.Event().wait()
"""
"""Opens connections until the database refuses one, says how many, and keeps them."""


class KillPostmaster(Fault):
    """SIGKILL to PostgreSQL's first process: its database must recover."""

    name, what = "kill-postmaster", "kill -9 of the postmaster"
    expected: Expected = "stays"
    may_fence = False

    def strike(self, scene: Scene) -> None:
        """Kills it, by its pid file."""
        kill(scene.victim, postmaster(scene.victim))


class KillInRecovery(Fault):
    """SIGKILL to the postmaster, and to the next one as soon as it is there: a recovery is cut short."""

    name, what = "kill-postmaster-in-recovery", "kill -9 of the postmaster, and of the next one while it recovers"
    may_fence = False

    def strike(self, scene: Scene) -> None:
        """Kills it, waits for the next one on the same node, kills that."""
        first = postmaster(scene.victim)
        kill(scene.victim, first)
        wait("the next postmaster", lambda: postmaster(scene.victim) not in {"", first})
        kill(scene.victim, postmaster(scene.victim))


class ConnectionLimit(Fault):
    """Somebody takes every connection that the database has to give."""

    name, what = "connection-limit", "every connection of the IM database taken"
    undone = "connections given back"
    expected: Expected = "stays"
    may_fence = False
    heals = False

    def __init__(self) -> None:
        self._holder: Program | None = None

    def strike(self, scene: Scene) -> None:
        """Takes them, and waits until the database refuses one."""
        command = [sys.executable, "-c", HOLD_ALL, HOST]
        self._holder = scene.victim.popen(command, stdout=PIPE, stderr=DEVNULL, text=True)
        assert self._holder.stdout is not None  # noqa: S101 - asked for as a pipe
        if not self._holder.stdout.readline():
            raise NoTarget(what="the IM database", node=scene.victim.name)

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Gives them back."""
        if self._holder:
            with self._holder as holder:
                holder.kill()


def postmaster(node: Node) -> str:
    """The pid that the postmaster has on its node, by its pid file; "" where there is none."""
    try:
        path = Path(f"/proc/{node.pid}/root{SHARED}/database/postmaster.pid")
        return path.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return ""


def kill(node: Node, pid: str) -> None:
    """SIGKILL. Raises NoTarget, or StepFailed where it is gone already."""
    if not pid:
        raise NoTarget(what="PostgreSQL", node=node.name)
    run(node, "kill the postmaster", ["kill", "-9", pid])


FAULTS: list[Fault] = [KillPostmaster(), KillInRecovery(), ConnectionLimit()]
