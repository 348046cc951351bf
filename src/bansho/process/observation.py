"""Operation monitoring where the status record alone does not decide (CONTRACT 3.2). The fewest imports possible.

What can be known on this node is looked at first; only where nothing of the suite lives the shared disk is asked, in a
child, since it may hang.
"""

import os
import time
from typing import NamedTuple

from bansho.contract import operation
from bansho.contract.limits import BEAT, LOST_BEATS
from bansho.logicalhost import lease
from bansho.logicalhost.definition import LogicalHost
from bansho.process import bounded, cgroup, daemon, identity, proctree, record, text
from bansho.process.folder import Folder
from bansho.process.proctree import Process
from bansho.process.record import Record, Trust

SECOND_LOOK = 1.5 * BEAT
"""Seconds: when a whole node slept (suspended, its virtual machine paused), each beat looks lost until the next one."""


class Answer(NamedTuple):
    """A value of 3.2, the line for a person, and the record behind it if one was believed."""

    value: int
    text: str
    record: Record | None = None


def observe(host: LogicalHost, suite: str, limit: float) -> Answer:
    """The value of the suite; comes back within `limit` seconds, with "retry" if the disk is silent."""
    until = time.monotonic() + limit
    folder = Folder(host.node.suite(suite))
    try:
        found, trust = _believed(folder)
        if trust is Trust.LOST:
            time.sleep(min(limit, SECOND_LOOK))
            found, trust = _believed(folder)
    except record.Damage as damage:
        return _answer(host, suite, operation.UNRECOVERABLE, f"the record {folder.record} is damaged: {damage}")
    if found and trust is Trust.FRESH:
        return Answer(found.value, found.text, found)
    if found and trust in BELATED:
        return _answer(host, suite, *BELATED[trust])
    return _from_afar(host, suite, folder, max(0.0, until - time.monotonic()))


def _believed(folder: Folder) -> tuple[Record | None, Trust]:
    """The record, and how far it can be believed. Raises Damage."""
    found = record.read(folder.record)
    return found, record.trust_now(found) if found else Trust.DEAD


BELATED = {
    Trust.STALE: (operation.RETRY, "the process manager lives and has missed a beat"),
    Trust.LOST: (
        operation.UNRECOVERABLE,
        f"the process manager lives and has not beaten for {LOST_BEATS * BEAT:.0f} s",
    ),
}


def _from_afar(host: LogicalHost, suite: str, folder: Folder, limit: float) -> Answer:
    try:
        value, why = bounded.ask(lambda: _look(host, folder), limit)
    except bounded.Silent:
        value, why = operation.RETRY, f"not found out within {limit:.0f} s; the shared directory does not answer"
    except bounded.Refused as refusal:
        value, why = operation.UNRECOVERABLE, str(refusal)
    return _answer(host, suite, value, why)


def _look(host: LogicalHost, folder: Folder) -> tuple[int, str]:
    """In the child: the value and why. Raises SharedDirectoryAbsent, LeaseDamaged or OSError."""
    group = folder.cgroup()
    without_record = _living([process for process in daemon.living(folder) if process.stat.pid != os.getppid()])
    if without_record:
        return without_record
    if group and cgroup.populated(group) and os.getpid() not in cgroup.processes(group):
        return operation.PARTLY_STOPPED, "the process manager is dead and processes of its control group live"
    lease.available(host)
    other = lease.held_elsewhere(host.shared.root) if host.is_logical else None
    if other:
        return operation.UNRECOVERABLE, f"node {other.node} holds the shared directory (epoch {other.epoch})"
    return operation.ALL_STOPPED, ""


def _living(processes: list[Process]) -> tuple[int, str] | None:
    """The value and why when some of the suite lives though no record speaks for it; None when nothing does."""
    managers = [process for process in processes if process.is_manager]
    services = [process for process in processes if not process.is_manager]
    if any(process.is_daemon for process in managers):
        young = min(identity.age(process.stat) for process in managers) < LOST_BEATS * BEAT
        return BEGINS if young else SPEECHLESS
    if services:
        return operation.PARTLY_STOPPED, f"the process manager is dead and these live: {proctree.describe(services)}"
    return (operation.RETRY, "the last processes are ending") if managers else None


BEGINS = (operation.RETRY, "the process manager begins or ends")
SPEECHLESS = (operation.UNRECOVERABLE, "the process manager lives and writes no record")


def _answer(host: LogicalHost, suite: str, value: int, why: str) -> Answer:
    return Answer(value, text.line(host.name, suite, value, why))
