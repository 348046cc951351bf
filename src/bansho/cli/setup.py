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
    if host.disk and not os.path.ismount(host.disk.mount_point):
        raise DiskNotMounted(name=host.name, path=host.disk.mount_point, device=host.disk.device)
    shared = host.shared
    _folders(host)
    lines = list(_suite_files(host))
    password = None
    if "base" in host.suites:
        lines += _token(host, READER, "read", host.shared.conf / "event-base.token")
        lines += _token(host, PROCESS_MANAGER, "send", host.shared.process_manager_token)
    if "manager" in host.suites:
        if not accounts.exist(shared):
            accounts.prepare(shared)
            password = accounts.create(shared, FIRST_ACCOUNT, "admin")
            lines.append("made the first account")
        if instance.create(host):
            lines.append(f"created the IM database in {shared.database}")
    for path in shared.conf.iterdir():
        _give(host, path)
    return Made(tuple(lines), password)


def _folders(host: LogicalHost) -> None:
    """The shared directory lets everyone through, since the database may run as another user; its parts do not."""
    shared = host.shared
    for folder, mode in ((shared.root, 0o755), (shared.log, 0o750), (shared.events, 0o750), (shared.conf, 0o750)):
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        _give(host, folder)


def _token(host: LogicalHost, name: str, scope: Scope, path: Path) -> Iterator[str]:
    """A token of our own at `path`, made anew where an interrupted set-up left only its hash."""
    if path.exists():
        return
    if any(token.name == name for token in tokens.listed(host.shared)):
        tokens.revoke(host.shared, name, host.name)
    path.touch(mode=0o600)
    path.write_text(tokens.create(host.shared, name, scope) + "\n")
    yield f"made the token {name}, which may {scope} events"


def _suite_files(host: LogicalHost) -> Iterator[str]:
    for suite in set(host.suites) & set(COMMANDS):
        path = host.shared.suite_file(suite)
        if not path.exists():
            path.write_bytes(resources.files(f"bansho.{suite}").joinpath("suite.toml").read_bytes())
            yield f"wrote {path}"


def _give(host: LogicalHost, path: Path) -> None:
    """To the user that the services run as, where root prepares for another one."""
    if os.geteuid() == 0 and host.user is not None:
        os.chown(path, *_ids(host, host.user))


def _ids(host: LogicalHost, user: str) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise UnknownUser(name=host.name, user=user) from None
    return entry.pw_uid, entry.pw_gid
