"""`bansho check`: definition files, ours and the original's, above all for a restart switched on; control scripts."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bansho.cli.errors import CannotRead, UnknownFile
from bansho.cluster import scriptcheck
from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition
from bansho.process import definition as suites
from bansho.process import original
from bansho.process.definition import MAXIMUM_BYTES
from bansho.process.errors import MalformedLine, RestartForbidden


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--host", "-H", metavar="NAME", help="The host that the files are for; its definition says of which kind."
)
@click.option("--physical", is_flag=True, help="The files are for a physical host: there, restart is allowed.")
def command(files: tuple[Path, ...], host: str | None, physical: bool) -> None:
    """Check definition FILES, and control scripts that a site has written for its cluster software.

    They are known by their names: jp1co_service.conf, jp1bs_service_0700.conf and conf (the event server's settings)
    are the original's, also with .model after them; NAME.toml is a logical host's definition or a suite file. Without
    --host or --physical they are taken to be for a logical host, where a restart is an error: the cluster restarts.
    A shell script is known by its first line, or by a name that ends with .sh or .ksh.

    Exit code 0: nothing is wrong. 1: each thing that is wrong stands on a line of its own, with file and line.
    """
    logical = definition.load(host).is_logical if host else not physical
    wrong = False
    for path in files:
        problems = list(found(path, logical=logical))
        for problem in problems:
            click.echo(problem, err=True)
        wrong = wrong or bool(problems)
        if not problems:
            click.echo(f"{click.format_filename(path)}: nothing is wrong")
    sys.exit(1 if wrong else 0)


def found(path: Path, *, logical: bool) -> Iterator[BanshoError | scriptcheck.Finding]:
    """Everything that is wrong with a file, for a logical host or a physical one."""
    try:
        if scriptcheck.is_script(path):
            yield from scriptcheck.check(path)
            return
        if path.suffix == ".toml":
            yield from wrong_in_toml(path, logical=logical)
            return
        content = read_original(path)
    except BanshoError as error:
        yield error
        return
    yield from malformed(path, content)
    for entry in content.entries if logical else ():
        if entry.restart:
            yield RestartForbidden(path=path, line=entry.line, service=entry.name)


def wrong_in_toml(path: Path, *, logical: bool) -> Iterator[BanshoError]:
    """What is wrong with a definition or a suite file of ours. Raises CannotRead or MalformedDefinition."""
    text = read_text(path, "strict")
    if definition.read_toml(text, path, dict).get("suite") is None:
        return definition.problems(text, path)
    return suites.problems(text, path, path.stem, logical=logical)


def read_original(path: Path) -> original.Content:
    """One of the original's files. Raises UnknownFile or CannotRead."""
    form = original.form_of(path.name)
    if form is None:
        raise UnknownFile(path=path, names=", ".join([*original.FORMS, "NAME.toml"]))
    return original.read(read_text(path), form)


def malformed(path: Path, content: original.Content) -> list[BanshoError]:
    """The lines of an original's file that are not what they should be."""
    return [MalformedLine(path=path, **problem._asdict()) for problem in content.problems]


def read_text(path: Path, errors: str = "surrogateescape") -> str:
    """A file's text; bytes that are no UTF-8 stay, escaped: a comment may be in any encoding. Raises CannotRead."""
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
        text = content.decode("utf-8", errors)
    except (OSError, ValueError) as error:
        raise CannotRead(path=path, reason=getattr(error, "strerror", None) or error) from None
    if len(content) > MAXIMUM_BYTES:
        raise CannotRead(path=path, reason=f"it has more than {MAXIMUM_BYTES:,} bytes")
    return text
