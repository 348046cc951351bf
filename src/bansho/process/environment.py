"""What a service finds in its environment (docs/house.md): what is listed here, and nothing of the starter's."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bansho.process import proctree, spawning
from bansho.process.definition import Service
from bansho.process.folder import Folder


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
    return spawning.kept() | dict(account) | service.environment | given | watchdog
