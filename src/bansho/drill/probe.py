"""The calls that a drill makes itself: each asks for what is so already, so none may change anything."""

import time
from collections.abc import Sequence
from pathlib import Path

from bansho.contract.suites import COMMANDS
from bansho.drill import census
from bansho.drill.audits.evidence import Call
from bansho.drill.stage import HOST, PROGRAMS, Stage, mounted
from bansho.lab.node import Node

Written = dict[str, tuple[int, int]]


def again(stage: Stage, node: Node) -> list[Call]:
    """On a node where the suites run: start them. Where they do not: stop, terminate, and ask."""
    if mounted(node):
        return [call(stage, node, "start", [names.start, HOST]) for names in COMMANDS.values()]
    orders = (("status", "status", "-h"), ("stop", "stop", ""), ("killall", "killall", ""))
    return [
        call(stage, node, order, [getattr(names, name), *filter(None, [flag]), HOST])
        for names in COMMANDS.values()
        for order, name, flag in orders
    ]


def call(stage: Stage, node: Node, order: str, command: Sequence[str]) -> Call:
    """Gives a command and looks what it changed."""
    processes, files = _processes(stage, node), _files(node)
    began = time.monotonic()
    value = node.run([str(PROGRAMS / command[0]), *command[1:]]).returncode
    took = time.monotonic() - began
    now = _processes(stage, node)
    written = tuple(sorted({path for path, _ in files.items() ^ _files(node).items()}))
    gone, new = tuple(sorted(processes - now)), tuple(sorted(now - processes))
    return Call(node.name, " ".join(command), order, value, took, gone, new, written, not mounted(node))


def _processes(stage: Stage, node: Node) -> frozenset[str]:
    found = census.take(stage.lab).get(node.name, ())
    return frozenset(f"{each.suite} {each.service or 'process manager'} {each.pid}" for each in found)


def _files(node: Node) -> Written:
    """What a status must not touch on a standby: the run-time folder and the empty mount point."""
    root = Path(f"/proc/{node.pid}/root")
    if mounted(node):
        return {}
    paths = [path for folder in ("run/bansho", "srv/bansho") for path in (root / folder).rglob("*")]
    return {str(path.relative_to(root)): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in paths}
