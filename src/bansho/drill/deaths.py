"""When a node died, and all programs on it, one after the other in whatever order. Pure."""

from collections.abc import Iterable

from bansho.lab.powerlog import Entry

DEATHS = frozenset({"off", "loss", "reboot", "dead"})
DYING = 2.0
"""Seconds between an entry of the power log and what it does to the programs on a node, at most."""


def powerless(node: str, began: float, ended: float, power: Iterable[Entry]) -> bool:
    """Whether a node lost its power within a time, or so near to it that its programs may have ended within."""
    near = (each for each in power if each.node == node and each.action in DEATHS)
    return any(began - DYING <= each.wall <= ended + DYING for each in near)
