"""What an operator does with a registered logical host: move it, keep the cluster's hands off, put a node to rest."""

import math
import time

from bansho.cluster.errors import DidNotMove, NotOurs, NotRegistered, UnknownNode
from bansho.cluster.pacemaker import status
from bansho.cluster.pacemaker.cib import Cib
from bansho.cluster.pacemaker.status import HostStatus

HANDS_OFF = 10.0
"""Seconds for the cluster to end the monitors of what is in maintenance; tenths of one where nothing else is due."""


def current(name: str) -> HostStatus:
    """The logical host, live. Raises NotRegistered, NotOurs, ToolMissing or ToolFailed."""
    seen = status.look(Cib())
    found = status.read(seen, name)
    if found is None:
        raise NotOurs(name=name) if status.has_group(seen, name) else NotRegistered(name=name)
    return found


def settle(patience: float) -> None:
    """Waits until the cluster has nothing left to do, at most `patience` seconds; Pacemaker reads whole ones."""
    seconds = max(1, math.ceil(patience))
    Cib().run("crm_resource", "--wait", f"--timeout={seconds}s", accepted=range(256), patience=seconds + 10)


def require_node(found: HostStatus, node: str) -> None:
    """Raises UnknownNode where the cluster has no such node that is up."""
    up = [each.name for each in found.nodes if each.state == "online"]
    if node not in up:
        raise UnknownNode(node=node, nodes=", ".join(up))


def move(name: str, node: str | None, patience: float) -> HostStatus:
    """Moves a logical host to `node`, or away from where it is, in its sequence.

    The constraint by which Pacemaker moves things is taken away once it is there, so that it can fail over again; where
    another constraint then takes it elsewhere, that is no move. What is just starting is waited for: Pacemaker refuses
    to move it to where it is. All of it has `patience` seconds.
    Raises NotRegistered, UnknownNode, DidNotMove, ToolMissing or ToolFailed.
    """
    until = time.monotonic() + patience
    before = current(name)
    if node is not None:
        require_node(before, node)
    if not before.home:
        settle(until - time.monotonic())
        before = current(name)
    if before.home and before.home == node:
        return before
    Cib().run("crm_resource", "--resource", name, "--move", *(("--node", node) if node else ()))
    try:
        settle(until - time.monotonic())
    finally:
        Cib().run("crm_resource", "--resource", name, "--clear")
    settle(until - time.monotonic())
    after = current(name)
    if not after.home or after.home == before.home or (node and after.home != node):
        raise DidNotMove(name=name, expected=node or f"a node other than {before.home}", found=_where(after))
    return after


def _where(found: HostStatus) -> str:
    return f"on {found.home}" if found.home else "nowhere as a whole"


def maintenance(name: str, on: bool) -> HostStatus:
    """Keeps the cluster's hands off a logical host, or gives it back: no monitoring, no restart, no failover.

    Returns once no monitor is under way any more, where the cluster is not busy otherwise: a failure that one of them
    found would be counted. Raises NotRegistered, ToolMissing or ToolFailed.
    """
    current(name)
    parameter = ("--resource", name, "--meta")
    if on:
        Cib().run("crm_resource", *parameter, "--set-parameter", "maintenance", "--parameter-value", "true")
        settle(HANDS_OFF)
    else:
        Cib().run("crm_resource", *parameter, "--delete-parameter", "maintenance")
    return current(name)


def standby(node: str, on: bool, patience: float) -> None:
    """Moves everything away from a node and lets nothing start there, or lets it join again.

    Raises UnknownNode, ToolMissing or ToolFailed.
    """
    known = [each.get("name", "") for each in status.look(Cib()).findall("nodes/node")]
    if node not in known:
        raise UnknownNode(node=node, nodes=", ".join(known))
    what = ("--update", "on") if on else ("--delete",)
    Cib().run("crm_attribute", "--node", node, "--name", "standby", *what)
    settle(patience)
