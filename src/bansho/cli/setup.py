"""`bansho setup`: prepare a shared directory, once."""

import json
import os
import pwd
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import click

from bansho.base import tokens
from bansho.base.tokens import Scope
from bansho.cli.errors import DiskNotMounted, UnknownUser
from bansho.contract.suites import COMMANDS
from bansho.database import instance
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.mounts import is_mounted
from bansho.manager import accounts

FIRST_ACCOUNT = "admin"
READER = "event-base"
PROCESS_MANAGER = "process-manager"


class Made(NamedTuple):
    """What a set-up made anew: a line each, and the first account's password, which is kept nowhere."""

    lines: tuple[str, ...]
    password: str | None


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: lines, password.")
def command(name: str, as_json: bool) -> None:
    """Prepare the shared directory of the logical host NAME, once.

    It writes the suites' process definitions, creates the IM database, and makes the first account, whose password it
    shows once. The disk must be mounted here, and no node may run the logical host. What is there already stays as it
    is, so an interrupted set-up is repeated by calling it again.
    """
    made = prepare(definition.load(name))
    if as_json:
        click.echo(json.dumps(made._asdict()))
        return
    for line in made.lines:
        click.echo(line)
    if made.password:
        click.echo(f"first account: {FIRST_ACCOUNT}, password: {made.password} (shown only now)")
    if not made.lines:
        click.echo(f"{name} is set up already")


def prepare(host: LogicalHost) -> Made:
    """Sets the shared directory up; what exists is left alone. Raises DiskNotMounted, UnknownUser, the parts' own."""
    if host.disk and not is_mounted(host.disk.mount_point):
        raise DiskNotMounted(name=host.name, path=host.disk.mount_point, device=host.disk.device)
    shared = host.shared
    lines = [*_folders(host), *_suite_files(host)]
    password = None
    if "base" in host.suites:
        lines += _token(host, READER, "read", host.shared.conf / "event-base.token")
        lines += _token(host, PROCESS_MANAGER, "send", host.shared.process_manager_token)
    if "manager" in host.suites:
        if instance.create(host):
            lines.append(f"created the IM database in {shared.database}")
        if not accounts.exist(shared):  # last: nothing may fail between making the password and showing it
            accounts.prepare(shared, host.user)
            password = accounts.create(shared, FIRST_ACCOUNT, "admin", user=host.user)
            lines.append("made the first account")
    return Made(tuple(lines), password)


def _folders(host: LogicalHost) -> Iterator[str]:
    """The shared directory lets everyone through, since the database may run as another user; its parts do not.

    Root keeps what it trusts later (the definitions, the logs that it opens, the lease); the services own their store.
    A shared directory that has to be made may be a misspelt one, so it is told.
    """
    shared = host.shared
    if not shared.root.exists():
        yield f"made the shared directory {shared.root}"
    user, group = _services(host)
    for folder, mode, owner in (
        (shared.root, 0o755, -1),
        (shared.log, 0o750, -1),
        (shared.conf, 0o750, -1),
        (shared.events, 0o750, user),
    ):
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, owner, -1 if folder == shared.root else group)


def _token(host: LogicalHost, name: str, scope: Scope, path: Path) -> Iterator[str]:
    """A token of our own at `path`, made anew where an interrupted set-up or a revocation left only half of it."""
    known = any(token.name == name for token in tokens.listed(host.shared))
    if known and path.exists():
        return
    if known:
        tokens.revoke(host.shared, name, host.name)
    path.touch(mode=0o600)
    path.write_text(tokens.create(host.shared, name, scope) + "\n")
    if os.geteuid() == 0:
        os.chown(path, *host.shared.services_user)
    yield f"made the token {name}, which may {scope} events"


def _suite_files(host: LogicalHost) -> Iterator[str]:
    for suite in set(host.suites) & set(COMMANDS):
        path = host.shared.suite_file(suite)
        if not path.exists():
            path.write_bytes(resources.files(f"bansho.{suite}").joinpath("suite.toml").read_bytes())
            yield f"wrote {path}"


def _services(host: LogicalHost) -> tuple[int, int]:
    """User and group id that the services run as: the definition's user, else whoever prepares."""
    return _ids(host, host.user) if host.user else (os.geteuid(), os.getegid())


def _ids(host: LogicalHost, user: str) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise UnknownUser(name=host.name, user=user) from None
    return entry.pw_uid, entry.pw_gid
