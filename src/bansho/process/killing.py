"""Forced termination from end to end: end the suite, prove it, clear away, give the lease back, say who holds the disk.

It needs no process manager: it works when that is dead, frozen or half started (CONTRACT 3.4).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from bansho.logicalhost import lease
from bansho.logicalhost.definition import LogicalHost
from bansho.process import bounded, cgroup, holders, termination
from bansho.process.bringup import folder_of
from bansho.process.deadline import Passed, deadline
from bansho.process.folder import Folder, locked
from bansho.process.holders import Holder
from bansho.process.termination import Survivor

ORDER_PATIENCE = 1.0
"""Seconds that a start or stop in the middle of an order is waited for."""
DISK_LIMIT = 5.0


class Left(NamedTuple):
    """What forced termination left: `survivors` of the suite, others that hold the disk, why the lease was kept."""

    survivors: list[Survivor]
    holders: list[Holder]
    lease_kept: str = ""


def kill(host: LogicalHost, suite: str, lingering: Callable[[Survivor], object] = termination.unheard) -> Left:
    """Ends every process of the suite at once. Only when none survived, its resources are given back.

    `lingering` hears at once of what was killed and does not end; it is not given up by then.
    """
    folder = folder_of(host, suite)
    with _orders_held(folder):
        survivors = _end(folder, lingering)
        lease_kept = "" if survivors else _give_back(host, suite, folder)
    neighbours = _of_other_suites(host, suite)
    return Left(survivors, [holder for holder in _holders(host) if holder.pid not in neighbours], lease_kept)


def _end(folder: Folder, lingering: Callable[[Survivor], object]) -> list[Survivor]:
    group = folder.cgroup()
    if group:
        termination.leave_group(group)
    survivors = termination.end(termination.suite_scan(folder), group, lingering=lingering)
    if group and not survivors:
        cgroup.wait_empty(group, ORDER_PATIENCE)
        cgroup.remove(group)
    return survivors


def _give_back(host: LogicalHost, suite: str, folder: Folder) -> str:
    """Removes what the suite left on this node, releases the lease if it was the host's last one; says why not."""
    if folder.path.is_dir():
        folder.clear()
    if not host.is_logical:
        return ""
    try:
        bounded.ask(lambda: _release(host, suite), DISK_LIMIT)
    except bounded.Silent:
        return f"the shared directory did not answer within {DISK_LIMIT:.0f} s"
    except bounded.Refused as refusal:
        return str(refusal)
    return ""


def _release(host: LogicalHost, suite: str) -> bool:
    return host.shared.lease.exists() and lease.release(host, suite)


def _of_other_suites(host: LogicalHost, suite: str) -> set[int]:
    """The processes of the host's other suites, which hold the shared directory by right."""
    folders = [folder_of(host, other) for other in host.suites if other != suite]
    return {pid for folder in folders if folder.path.is_dir() for pid in termination.suite_scan(folder)().members}


def _holders(host: LogicalHost) -> list[Holder]:
    """Who holds the shared directory open, under the name that /proc shows; by the given name if the disk is silent."""
    directory = host.shared_directory
    try:
        real: str = bounded.ask(lambda: os.path.realpath(directory), DISK_LIMIT)
    except (bounded.Silent, bounded.Refused):
        real = directory
    return holders.holders(real)


@contextmanager
def _orders_held(folder: Folder) -> Iterator[None]:
    """Keeps starts out meanwhile; one that hangs in the middle is not waited for."""
    with ExitStack() as held:
        if folder.path.is_dir():
            with suppress(Passed, PermissionError), deadline(ORDER_PATIENCE):
                held.enter_context(locked(folder.order_lock))
        yield
