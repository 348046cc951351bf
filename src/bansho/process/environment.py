"""What a service finds in its environment (docs/house.md): what is listed here, and nothing of the starter's."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bansho.process import cgroup, proctree
from bansho.process.definition import Service
from bansho.process.folder import Folder

KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "BANSHO_ETC", "BANSHO_RUN")
"""Taken over from whoever started the suite, where set. A cluster's own variables are none of a service's business."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Site(NamedTuple):
    """Where a suite runs: what all of its services have in common."""

    host: str
    suite: str
    folder: Folder
    shared: str
    group: Path | None
    """The suite's control group."""
    nice: int = 0
    """The priority that services run with."""
    epoch: int = 0
    """The lease's epoch; 0 on a physical host."""


def kept() -> dict[str, str]:
    """The part of this process's environment that a process of a suite keeps."""
    return {"PATH": PATH} | {name: os.environ[name] for name in KEPT if name in os.environ}


def of_manager(mark: str) -> dict[str, str]:
    """A process manager's environment."""
    without = {name: os.environ[name] for name in (cgroup.WITHOUT,) if name in os.environ}
    return kept() | without | {proctree.MARK: mark}


def of_service(site: Site, service: Service, account: Mapping[str, str]) -> dict[str, str]:
    """A service's environment; `account` is what its user brings (HOME, USER)."""
    given = {
        "BANSHO_HOST": site.host,
        "BANSHO_SUITE": site.suite,
        proctree.SERVICE: service.name,
        "BANSHO_EPOCH": str(site.epoch),
        proctree.MARK: site.folder.mark,
        "JP1_HOSTNAME": site.host,
        "NOTIFY_SOCKET": str(site.folder.notify(service.name)),
    }
    watchdog = {"WATCHDOG_USEC": str(round(service.watchdog * 1e6))} if service.watchdog else {}
    return kept() | dict(account) | service.environment | given | watchdog
