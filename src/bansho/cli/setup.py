"""`bansho setup`: prepare a shared directory, once."""

import json
import os
import pwd
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import click

from bansho.base import tokens
from bansho.cli.errors import DiskNotMounted, UnknownUser
from bansho.contract.suites import COMMANDS
from bansho.database import instance
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.manager import accounts

FIRST_ACCOUNT = "admin"


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
    for folder in (shared.root, shared.log, shared.events, shared.conf):
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    lines = list(_suite_files(host))
    password = None
    if "base" in host.suites and not tokens.exists(shared):
        token = tokens.create(shared, "event-base", "read")
        _write_secret(shared.conf / "event-base.token", token)
        lines.append("made the token by which Manager reads from Base")
    if "manager" in host.suites:
        if not accounts.exist(shared):
            accounts.prepare(shared)
            password = accounts.create(shared, FIRST_ACCOUNT, "admin")
            lines.append("made the first account")
        if instance.create(host):
            lines.append(f"created the IM database in {shared.database}")
    _hand_over(host)
    return Made(tuple(lines), password)


def _suite_files(host: LogicalHost) -> Iterator[str]:
    for suite in set(host.suites) & set(COMMANDS):
        path = host.shared.suite_file(suite)
        if not path.exists():
            path.write_bytes(resources.files(f"bansho.{suite}").joinpath("suite.toml").read_bytes())
            yield f"wrote {path}"


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text + "\n")


def _hand_over(host: LogicalHost) -> None:
    """To the user that the services run as, where root prepares for another one. The database sees to its own."""
    if os.geteuid() != 0 or host.user is None:
        return
    user, group = _ids(host, host.user)
    for folder in (host.shared.root, host.shared.log, host.shared.events, host.shared.conf):
        os.chown(folder, user, group)
    for path in host.shared.conf.iterdir():
        shutil.chown(path, user, group)


def _ids(host: LogicalHost, user: str) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise UnknownUser(name=host.name, user=user) from None
    return entry.pw_uid, entry.pw_gid
