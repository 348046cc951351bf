"""`bansho definition`: write, check and show the definition of a logical host."""

import json
from pathlib import Path

import click

from bansho.cli.errors import WROTE, NotADefinition
from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition
from bansho.logicalhost.errors import DefinitionExists


@click.group()
def command() -> None:
    """Write, check and show the definition of a logical host."""


@command.command()
@click.argument("name")
@click.option("--shared-directory", required=True, type=click.Path(path_type=Path), help="On the shared disk.")
@click.option("--address", default="127.0.0.1", show_default=True, help="The logical IP address, with /PREFIX.")
@click.option("--kind", type=click.Choice(["logical", "physical"]), default="logical", show_default=True)
@click.option("--user", help="Who the services run as.")
@click.option("--event-port", type=int, default=7710, show_default=True)
@click.option("--console-port", type=int, default=7711, show_default=True)
def new(
    name: str, shared_directory: Path, address: str, kind: str, user: str | None, event_port: int, console_port: int
) -> None:
    """Write the definition of the logical host NAME; it must be the same on every node."""
    keys: dict[str, str | None] = {
        "name": name,
        "kind": kind,
        "address": address,
        "shared-directory": str(shared_directory.absolute()),
        "user": user,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]
    lines += ["", "[ports]", f"event-service = {event_port}", f"console = {console_port}"]
    click.echo(WROTE(path=write(name, "\n".join(lines) + "\n")), err=True)


def write(name: str, text: str) -> Path:
    """Writes a definition that is right, and returns its path. Raises DefinitionExists or MalformedDefinition."""
    path = definition.path_of(definition.check_name(name))
    definition.parse(text, path)
    if path.exists():
        raise DefinitionExists(path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@command.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check definition FILES, or all of this node. Exit code 0: all are right."""
    wrong = 0
    for path in files or [definition.path_of(name) for name in definition.names()]:
        try:
            if not path.is_file():
                raise NotADefinition(path=path)
            host = definition.load_file(path)
            click.echo(f"{path}: {host.kind} host {host.name}, suites {', '.join(host.suites)}")
        except BanshoError as error:
            click.echo(error, err=True)
            wrong += 1
    raise SystemExit(wrong > 0)


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the logical host NAME with every default filled in, as JSON."""
    click.echo(json.dumps(definition.as_document(definition.load(name)), indent=2))
