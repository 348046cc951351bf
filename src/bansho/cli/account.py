"""`bansho account`: people who may use the console."""

import click

from bansho.cli.host import HOST, chosen
from bansho.manager import accounts
from bansho.manager.accounts import Role


@click.group()
def command() -> None:
    """People who may use the console of a logical host.

    Accounts are on the shared disk, so work on the server where the logical host runs. A running console notices each
    change at once. A password is shown once and kept nowhere.
    """


@command.command()
@click.argument("name")
@click.option("--role", type=click.Choice(accounts.ROLES), default="viewer", show_default=True)
@HOST
def create(name: str, role: Role, host_name: str | None) -> None:
    """Create the account NAME and show its password."""
    host = chosen(host_name)
    _show(name, accounts.create(host.shared, name, role, user=host.user))


@command.command()
@click.argument("name")
@HOST
def password(name: str, host_name: str | None) -> None:
    """Give the account NAME a new password, show it, and end its sessions."""
    host = chosen(host_name)
    _show(name, accounts.change_password(host.shared, name, user=host.user))


@command.command()
@click.argument("name")
@HOST
def remove(name: str, host_name: str | None) -> None:
    """Remove the account NAME and end its sessions."""
    host = chosen(host_name)
    accounts.remove(host.shared, name, host.user)
    click.echo(f"removed account {name}")


@command.command("list")
@HOST
def list_accounts(host_name: str | None) -> None:
    """List the accounts: name, role, when it was created."""
    found = accounts.read(chosen(host_name).shared)
    width = max((len(name) for name in found), default=0)
    for name, account in sorted(found.items()):
        click.echo(f"{name:{width}}  {account.role:8}  {accounts.created(account)}")


def _show(name: str, secret: str) -> None:
    click.echo(f"account {name}, password: {secret} (shown only now)")
