"""Where a logical host's files are (CONTRACT 6): on this node, and on the shared disk."""

import os
from pathlib import Path
from typing import NamedTuple


def etc() -> Path:
    """The node's configuration: `BANSHO_ETC`, or /etc/bansho."""
    return Path(os.environ.get("BANSHO_ETC") or "/etc/bansho")


def run() -> Path:
    """The node's run-time state: `BANSHO_RUN`, or /run/bansho."""
    return Path(os.environ.get("BANSHO_RUN") or "/run/bansho")


class NodePlaces(NamedTuple):
    """One logical host's run-time state on this node. Gone after a reboot, and never needed after one."""

    root: Path

    @classmethod
    def of(cls, name: str) -> "NodePlaces":
        """The places of the logical host `name` below `run()`."""
        return cls(run() / name)

    def suite(self, suite: str) -> Path:
        """A suite's process management: `record`, `control.sock`, `notify/`, `spmd.lock`, `spmd.log`."""
        return self.root / suite

    @property
    def lease_lock(self) -> Path:
        """Held for a moment by whoever takes the lease or gives it back."""
        return self.root / "lease.lock"

    @property
    def cluster_socket(self) -> Path:
        """Where the cluster's state is told, while cluster software runs the logical host here."""
        return self.root / "cluster.sock"

    @property
    def cluster_lock(self) -> Path:
        """Held for as long as somebody tells the cluster's state."""
        return self.root / "cluster.lock"

    @property
    def database_socket(self) -> Path:
        """The folder of PostgreSQL's socket."""
        return self.root / "database"


class SharedPlaces(NamedTuple):
    """The shared directory's parts (CONTRACT 6). They exist only while the disk is mounted here."""

    root: Path

    @property
    def conf(self) -> Path:
        """Configuration: one TOML file a suite, tokens, accounts. Its presence marks a directory that is set up."""
        return self.root / "conf"

    @property
    def log(self) -> Path:
        """What the services print, and the takeover history."""
        return self.root / "log"

    @property
    def events(self) -> Path:
        """Base's event store."""
        return self.root / "events"

    @property
    def spool(self) -> Path:
        """What the process managers have to tell and the event service has not acknowledged yet."""
        return self.events / "spool"

    @property
    def process_manager_token(self) -> Path:
        """The token by which the process managers send events."""
        return self.conf / "process-manager.token"

    @property
    def database(self) -> Path:
        """The IM database's data directory."""
        return self.root / "database"

    @property
    def lease(self) -> Path:
        """The lease: who owns this directory."""
        return self.root / "lease"

    @property
    def services_user(self) -> tuple[int, int]:
        """User and group id that the services run as: the event store's owner. conf/ and log/ are the preparer's."""
        owner = (self.events if self.events.exists() else self.root).stat()
        return owner.st_uid, owner.st_gid

    def suite_file(self, suite: str) -> Path:
        """A suite's process definition."""
        return self.conf / f"{suite}.toml"
