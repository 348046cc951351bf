"""The calls that a drill makes itself: each asks for what is so already, so none may change anything."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bansho.contract.suites import COMMANDS
from bansho.drill import census
from bansho.drill.audits.evidence import Call
from bansho.drill.stage import HOST, PROGRAMS, Stage, mounted
from bansho.lab.node import Node

ASKED = 3
"""How often a standby is asked for its status: one answer that was held up says nothing about the command."""
BARE = [sys.executable, "-I", "-S", "-c", "pass"]
Written = dict[str, tuple[int, int]]


def again(stage: Stage, node: Node) -> list[Call]:
    """On a node where the suites run: start them. Where they do not: stop, terminate, and ask."""
    if mounted(node):
        return [call(stage, node, "start", [names.start, HOST]) for names in COMMANDS.values()]
    orders = (*(("status", "status", "-h"),) * ASKED, ("stop", "stop", ""), ("killall", "killall", ""))
    return [
        call(stage, node, order, [getattr(names, name), *filter(None, [flag]), HOST])
        for names in COMMANDS.values()
        for order, name, flag in orders
    ]


def call(stage: Stage, node: Node, order: str, command: Sequence[str]) -> Call:
    """Gives a command and looks what it changed."""
    processes, files = _processes(stage, node), _files(node)
    bare = _timed(node, BARE)[1] if order == "status" else 0.0
    value, took = _timed(node, [str(PROGRAMS / command[0]), *command[1:]])
    bare = max(bare, _timed(node, BARE)[1]) if order == "status" else 0.0
    now = _processes(stage, node)
    written = tuple(sorted({path for path, _ in files.items() ^ _files(node).items()}))
    gone, new = tuple(sorted(processes - now)), tuple(sorted(now - processes))
    return Call(node.name, " ".join(command), order, value, took, gone, new, written, not mounted(node), bare)


def _timed(node: Node, command: Sequence[str]) -> tuple[int, float]:
    """The value and the seconds."""
    began = time.monotonic()
    value = node.run(command).returncode
    return value, time.monotonic() - began


def _processes(stage: Stage, node: Node) -> frozenset[str]:
    """All but the children of a service's processes: a database's backends come and go by themselves."""
    found = census.take(stage.lab).get(node.name, ())
    services = {each.pid for each in found if each.service}
    return frozenset(
        f"{each.suite} {each.service or 'process manager'} {each.pid}" for each in found if each.parent not in services
    )


def _files(node: Node) -> Written:
    """What a status must not touch on a standby: the run-time folder and the empty mount point."""
    root = Path(f"/proc/{node.pid}/root")
    if mounted(node):
        return {}
    found: Written = {}
    for path in (path for folder in ("run/bansho", "srv/bansho") for path in (root / folder).rglob("*")):
        with suppress(FileNotFoundError):  # it was removed just now
            state = path.lstat()
            found[str(path.relative_to(root))] = (state.st_mtime_ns, state.st_size)
    return found
