"""What a fault is: what it does, how it is undone, what it needs, and what must come of it."""

from abc import ABC, abstractmethod
from random import Random
from typing import Literal, NamedTuple

from bansho.drill.stage import HOST, Stage
from bansho.lab.node import Node
from bansho.lab.watch import Watch

Expected = Literal["stays", "moves", "either"]
Fenced = Literal["victim", "struck", "any"]


class Scene(NamedTuple):
    """Where a fault strikes: `victim` is the active node."""

    stage: Stage
    victim: Node
    watch: Watch
    random: Random
    resource: str = HOST
    """The cluster's name of what is struck."""

    @property
    def standbys(self) -> list[Node]:
        """The other nodes that have power."""
        return [node for node in self.stage.lab.nodes if node.name != self.victim.name and node.on]

    @property
    def operator(self) -> Node:
        """A node on which an operator can give the cluster orders, whatever became of the victim."""
        return self.victim if self.victim.on or not self.standbys else self.standbys[0]


class Fault(ABC):
    """One fault. Its attributes are what a person reads before it is let loose."""

    name: str
    what: str
    """What it does."""
    undone: str = "by the cluster"
    """How it is undone."""
    needs: str = "the lab"
    expected: Expected = "either"
    """Where the logical host is all running afterwards: on the same node, on another one, or that is the cluster's."""
    heals: bool = True
    """Whether the cluster alone must bring the logical host back; else it is due after `undo`."""
    hold: float = 20.0
    """Seconds until it counts as without effect; so long it lasts where only `undo` mends it."""
    touches: frozenset[str] = frozenset()
    """What of `disk`, `address` and the suites' `processes` it takes away itself, out of any order."""
    may_fence: bool = True
    """Whether a node may be fenced for it."""
    fences: Fenced = "victim"
    """Which one that may be: the active node, the standby that `struck` names, or any."""
    struck: str = ""
    """The standby that it struck, where it chose one."""
    shows: bool = False
    """Whether something of it must be seen from outside: a hang that nobody notices is no kept invariant."""
    harmless: bool = False
    """Whether it takes nothing from the logical host: the same processes must run on, under the same epoch."""
    unfenceable: bool = False
    """Whether the active node cannot be fenced, so that no other one may take over, until `undo`."""
    findings: list[str] | None = None
    """What it found wrong with the database's rows by itself; None where it did not look."""
    rests: bool = False
    """Whether the logical host is stopped on every node until `undo`."""
    of_standby: bool = False
    """Whether it is a standby that the cluster loses: with the active node too, none of three nodes has a majority."""
    least_nodes: int = 2

    def fenceable(self, victim: str) -> frozenset[str] | None:
        """The nodes that may be fenced for it; None: any."""
        if self.may_fence and self.fences == "any":
            return None
        return frozenset({victim if self.fences == "victim" else self.struck} if self.may_fence else ())

    def lacks(self) -> str:
        """What this machine lacks for it; empty where it has all."""
        return ""

    @abstractmethod
    def strike(self, scene: Scene) -> None:
        """Does it."""

    def undo(self, scene: Scene) -> None:  # noqa: B027 - most need nothing but power and cables, which settling gives back
        """Undoes it, as far as giving power and cables back does not; also where `strike` was cut short."""
