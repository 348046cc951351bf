"""Which nodes Pacemaker has online, as one of them sees it."""

import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable

from bansho.lab.errors import NodeOff
from bansho.lab.node import Node

LOOK = 0.1
"""Seconds between two looks."""


def online(report: str) -> set[str]:
    """The nodes online in a report of `crm_mon --output-as=xml`; none without a coordinator that has quorum."""
    try:
        root = ElementTree.fromstring(report)  # noqa: S314 - our own crm_mon's
    except ElementTree.ParseError:
        return set()
    coordinator = root.find("summary/current_dc[@with_quorum='true']")
    nodes = root.findall("nodes/node[@online='true'][@pending='false']")
    return set() if coordinator is None else {node.attrib["name"] for node in nodes}


def seen_by(node: Node) -> set[str]:
    """The nodes that this one sees online; none while it is off or its Pacemaker is not up."""
    try:
        return online(node.run(["crm_mon", "--one-shot", "--output-as=xml"], timeout=5).stdout)
    except (NodeOff, subprocess.TimeoutExpired):
        return set()


def absent(nodes: Iterable[Node], limit: float) -> set[str]:
    """Waits until each of the nodes sees all of them online: those that never were within `limit` seconds."""
    waiting = list(nodes)
    wanted = {node.name for node in waiting}
    until = time.monotonic() + limit
    missing = wanted
    while waiting and time.monotonic() < until:
        missing = wanted - seen_by(waiting[0])
        if missing:
            time.sleep(LOOK)
        else:
            waiting.pop(0)
    return missing if waiting else set()
