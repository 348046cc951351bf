"""The shared directory, the address and the disk belong to one logical host alone; and who may read what."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from bansho.cluster.doctor.finding import Finding, Subject, right, unknown, wrong
from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost

SECRETS = ("tokens.json", "accounts.json", "session.key", "event-base.token", "process-manager.token")


def alone(subject: Subject) -> Iterator[Finding]:
    """No other definition on this node names the same directory, one inside it, its disk or its address."""
    host = subject.host
    fine = True
    for name in definition.names():
        if name == host.name:
            continue
        try:
            common = shared_things(host, definition.load(name))
        except BanshoError as error:
            yield unknown(f"what {name} shares: {error}", "correct that definition")
            continue
        for each in common:
            fine = False
            yield wrong(f"{each}, and so has logical host {name}", "give each logical host its own")
    if fine:
        yield right(f"{host.shared_directory} belongs to {host.name} alone")


def shared_things(one: LogicalHost, other: LogicalHost) -> Iterator[str]:
    """What two logical hosts have in common and must not, in words."""
    mine, theirs = (Path(os.path.realpath(each.shared_directory)) for each in (one, other))
    if mine.is_relative_to(theirs) or theirs.is_relative_to(mine):
        yield f"{one.name} has the shared directory {one.shared_directory}"
    if one.ip == other.ip and one.is_logical and other.is_logical:
        yield f"{one.name} has the address {one.ip}"
    if one.disk and other.disk and os.path.realpath(one.disk.device) == os.path.realpath(other.disk.device):
        yield f"{one.name} has the disk {one.disk.device}"


def permissions(subject: Subject) -> Iterator[Finding]:
    """Nobody but root changes the definition; nobody but the services reads their secrets."""
    yield from of_root_alone(definition.path_of(subject.host.name))
    if not subject.online:
        yield unknown("the secrets in conf/: the shared directory is not on this node", "run this on the active node")
        return
    secrets = [subject.host.shared.conf / name for name in SECRETS]
    readable = [each for each in secrets if each.exists() and each.stat().st_mode & 0o007]
    for each in readable:
        yield wrong(f"{each} may be read or changed by everybody ({mode(each)})", f"chmod o= {each}")
    if not readable:
        yield right("the secrets in conf/ are the services' alone")


def of_root_alone(path: Path) -> Iterator[Finding]:
    """Whether only root can change a definition: root runs commands in the folders that it names."""
    fine = True
    for each in (path, path.parent, path.parent.parent):
        found = each.stat()
        if found.st_uid != 0:
            fine = False
            yield wrong(f"{each} belongs to {owner(found.st_uid)}, who can change it", f"chown root {each}")
        if found.st_mode & 0o022:
            fine = False
            yield wrong(f"{each} may be changed by others than its owner ({mode(each)})", f"chmod go-w {each}")
    if fine:
        yield right(f"{path} can be changed by root alone")


def owner(uid: int) -> str:
    """The user's name, or what stands for it where nobody has that number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"number {uid}"


def mode(path: Path) -> str:
    """As ls(1) shows it."""
    return stat.filemode(path.stat().st_mode)
