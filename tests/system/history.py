"""What Pacemaker did: read from the nodes' own logs and the lab's power log, while it goes on."""

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from bansho.cluster.pacemaker.transition import Action
from bansho.drill.stage import HOST
from bansho.lab import Lab, Node
from bansho.lab.errors import NodeOff

LOG = "var/log/pacemaker/pacemaker.log"
WHAT = r"(?P<operation>start|stop|probe) operation for (?P<resource>\S+) on (?P<node>\w+)"
BEGUN = re.compile(rf"(?P<at>\w+ \d+ [\d:.]+) .*Requesting local execution of {WHAT} ")
ENDED = re.compile(rf"(?P<at>\w+ \d+ [\d:.]+) .*Result of {WHAT}: (?P<result>[\w ]+?)(?: \(.*)? \|")


class Deed(NamedTuple):
    """One action, carried out."""

    action: Action
    begun: float
    """Seconds since 1970."""
    ended: float
    result: str
    """`ok`, `not running`, `error`, ... in Pacemaker's words."""


class History:
    """What is done to a logical host from now on."""

    def __init__(self, lab: Lab, host: str = HOST) -> None:
        self._lab, self._host, self._since = lab, host, time.time()
        self._read = {node.name: len(_log(node)) for node in lab.nodes}

    def deeds(self, *operations: str) -> list[Deed]:
        """What has ended so far, of these operations, in the order in which it was begun."""
        found = [*self._fenced(), *(deed for node in self._lab.nodes for deed in self._done(node))]
        return sorted((each for each in found if each.action.operation in operations), key=lambda each: each.begun)

    def _fenced(self) -> Iterator[Deed]:
        for entry in self._lab.power_log():
            if entry.by in self._lab.spec.nodes and entry.done and entry.wall > self._since:
                yield Deed(Action("fence", "", entry.node), entry.wall, entry.wall, "ok")

    def _done(self, node: Node) -> Iterator[Deed]:
        begun: dict[Action, float] = {}
        for line in _log(node)[self._read[node.name] :].decode().splitlines():
            if match := BEGUN.match(line):
                begun[_action(match)] = _when(match)
            elif (match := ENDED.match(line)) and match["resource"].startswith(f"{self._host}-"):
                action = _action(match)
                if action in begun:  # else it was begun before, and is of what was before
                    yield Deed(action, begun[action], _when(match), match["result"])


def _log(node: Node) -> bytes:
    """Pacemaker's log on a node; empty while the node has no power."""
    try:
        return Path(f"/proc/{node.pid}/root", LOG).read_bytes()
    except (NodeOff, FileNotFoundError, ProcessLookupError):
        return b""


def _action(match: re.Match[str]) -> Action:
    return Action(match["operation"], match["resource"], match["node"])


def _when(match: re.Match[str]) -> float:
    this_year = datetime.now().astimezone().year
    return datetime.strptime(f"{this_year} {match['at']}", "%Y %b %d %H:%M:%S.%f").astimezone().timestamp()
