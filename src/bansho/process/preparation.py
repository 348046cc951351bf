"""What a process manager must find in the shared directory before it starts a service: definition, accounts, lease.

The disk may hang, and taking the lease over is mostly waiting: a thread does it, from before asyncio is imported.
"""

import threading
from typing import NamedTuple

from bansho.logicalhost import lease
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.lease import Lease
from bansho.process import account, definition
from bansho.process.account import Account
from bansho.process.definition import Suite

RECEIVER = "base"
"""The suite that the event service belongs to; without it on the logical host there is nobody to tell."""


class Found(NamedTuple):
    """What the preparation found."""

    suite: Suite
    accounts: dict[str, Account]
    reports: bool
    """Whether the event service is told of process events."""
    lease: Lease | None = None
    """None: a physical host, which has none."""


class Preparation:
    """One preparation, from now on under way."""

    def __init__(self, host: LogicalHost, suite: str) -> None:
        self._host, self._suite = host, suite
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="preparation", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = find(self._host, self._suite)
        except Exception as error:  # whoever asks for the result gets it
            self._error = error

    def result(self) -> Found:
        """Waits for what was found; raises what went wrong."""
        self._thread.join()
        if self._error:
            raise self._error
        return self._found


def find(host: LogicalHost, suite: str) -> Found:
    """Reads the definition and takes the lease. Raises a BanshoError or OSError."""
    lease.available(host)
    found = read(host, suite)
    return found._replace(lease=lease.acquire(host) if host.is_logical else None)


def read(host: LogicalHost, suite: str) -> Found:
    """Reads the definition alone."""
    found = definition.load(host, suite)
    reports = found.process_events and RECEIVER in host.suites and host.shared.process_manager_token.exists()
    return Found(found, account.of_all(found.enabled.values()), reports)
