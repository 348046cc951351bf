"""The processes of the services on a node."""

import json
from pathlib import Path

from bansho.drill.stage import HOST
from bansho.lab import Node


def pids(node: Node, suite: str, host: str = HOST) -> dict[str, int | None]:
    """Service -> its pid, by the suite's status record on that node; nothing while there is no record."""
    record = Path(f"/proc/{node.pid}/root/run/bansho/{host}/{suite}/record")
    if not record.exists():
        return {}
    return {each["name"]: each["pid"] for each in json.loads(record.read_text().splitlines()[2])["services"]}


def pid_of(node: Node, suite: str, service: str) -> int:
    """The pid of a service that runs."""
    pid = pids(node, suite)[service]
    assert pid is not None
    return pid
