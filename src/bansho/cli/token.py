"""`bansho token`: who may send and read events."""

import time

import click

from bansho.base import tokens
from bansho.base.tokens import Scope
from bansho.cli.host import HOST, chosen


@click.group()
def command() -> None:
    """Tokens: who may send events to a logical host's event service, and who may read them.

    They are on the shared disk, so work on the server where the logical host runs. A running event service takes each
    change at once. A token is shown once; only its hash is kept.
    """


@command.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(tokens.SCOPES), default="send", show_default=True)
@HOST
def create(name: str, scope: Scope, host_name: str | None) -> None:
    """Create the token NAME and print it."""
    click.echo(tokens.create(chosen(host_name).shared, name, scope))


@command.command("list")
@HOST
def list_tokens(host_name: str | None) -> None:
    """List the tokens: name, scope, when it was created."""
    found = tokens.listed(chosen(host_name).shared)
    width = max((len(token.name) for token in found), default=0)
    for token in found:
        created = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(token.created))
        click.echo(f"{token.name:{width}}  {token.scope}  {created}")


@command.command()
@click.argument("name")
@HOST
def revoke(name: str, host_name: str | None) -> None:
    """Take the token NAME away: from now on it is refused."""
    host = chosen(host_name)
    tokens.revoke(host.shared, name, host.name)
    click.echo(f"revoked token {name}")
