"""Which user of the operating system runs the postmaster. Never root: PostgreSQL refuses, and rightly."""

import os
import pwd
from pathlib import Path
from typing import Any, NamedTuple

from bansho.database.errors import UnknownUser
from bansho.logicalhost.definition import LogicalHost

FALLBACKS = ("postgres", "nobody")
"""Where root runs us and the definition names no user."""


class Account(NamedTuple):
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    def for_child(self) -> dict[str, Any]:
        """The arguments of `subprocess` that make a child run as this user: none where we are this user."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path | int) -> None:
        """Makes `path` (or an open descriptor) this user's."""
        if os.geteuid() != self.uid:
            os.chown(path, self.uid, self.gid)


def of(host: LogicalHost) -> Account:
    """Ourselves; where we are root, the definition's user, else `postgres`, else `nobody`. Raises UnknownUser."""
    if os.geteuid() != 0:
        return _known(host, os.geteuid())
    names = [host.user] if host.user else [*FALLBACKS]
    for entry in filter(None, map(_entry, names)):
        return entry
    raise UnknownUser(name=host.name, user=names[0])


def _known(host: LogicalHost, uid: int) -> Account:
    try:
        return Account(*pwd.getpwuid(uid)[0:1], uid, os.getegid())
    except KeyError:
        raise UnknownUser(name=host.name, user=str(uid)) from None


def _entry(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid) if entry.pw_uid else None
