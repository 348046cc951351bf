"""The processes of the services on a node."""

import json
from pathlib import Path
from typing import Any

from bansho.drill.stage import HOST
from bansho.lab import Node


def record(node: Node, suite: str, host: str = HOST) -> tuple[str, dict[str, Any]]:
    """The suite's status record on that node (docs/house.md): the process manager's pid, and what it says of all."""
    head, _, detail = Path(f"/proc/{node.pid}/root/run/bansho/{host}/{suite}/record").read_text().splitlines()
    return head.split()[4], json.loads(detail)


def pid_of(node: Node, suite: str, service: str) -> int:
    """The pid of a service that runs."""
    _, detail = record(node, suite)
    return next(int(each["pid"]) for each in detail["services"] if each["name"] == service)
