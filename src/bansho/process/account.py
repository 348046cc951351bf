"""The user that a service runs as."""

import os
import pwd
from collections.abc import Iterable
from typing import NamedTuple

from bansho.process.definition import Service
from bansho.process.errors import UnknownServiceUser


class Account(NamedTuple):
    """A user: the name to become, "" where the service runs as the process manager does, and whose files are whose."""

    become: str
    uid: int
    gid: int
    variables: dict[str, str]


def of_all(services: Iterable[Service]) -> dict[str, Account]:
    """The accounts of services by their names. Raises UnknownServiceUser. It asks the user database, which may hang."""
    return {service.name: of(service) for service in services}


def of(service: Service) -> Account:
    """The account of `service`. Raises UnknownServiceUser; only root can run a service as somebody else."""
    entry = _entry(service)
    if entry.pw_uid != os.geteuid() and os.geteuid() != 0:
        raise UnknownServiceUser(service=service.name, user=service.user, problem="can be taken on by root alone")
    become = entry.pw_name if entry.pw_uid != os.geteuid() else ""
    variables = {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}
    return Account(become, entry.pw_uid, entry.pw_gid, variables)


def _entry(service: Service) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(service.user) if service.user else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise UnknownServiceUser(
            service=service.name, user=service.user, problem="does not exist on this node"
        ) from None
