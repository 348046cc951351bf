"""`bansho import`: a suite file of ours from the original's."""

import os
import sys
from pathlib import Path

import click

from bansho.cli.check import malformed, read_original
from bansho.cli.errors import WROTE, CannotRead, CannotWrite, UnknownFile
from bansho.contract.suites import COMMANDS
from bansho.process import original


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--suite", required=True, type=click.Choice(list(COMMANDS)), help="The suite that the file is for.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where to; standard output if left out.")
@click.option("--physical", is_flag=True, help="For a physical host: restart is carried over.")
def command(file: Path, suite: str, output: Path | None, physical: bool) -> None:
    """Write a suite file from the original's FILE: jp1co_service.conf or jp1bs_service_0700.conf.

    Comments in it say what was carried over. A restart is left out, since on a logical host the cluster restarts.
    Nothing is written where a line is malformed; each is named.
    """
    if original.form_of(file.name) not in original.SUITES:
        raise UnknownFile(path=file, names=", ".join(original.SUITES))
    content = read_original(file)
    for problem in malformed(file, content):
        click.echo(problem, err=True)
    if content.problems:
        sys.exit(1)
    if not content.entries:
        raise CannotRead(path=file, reason="it names no process")
    text = original.suite(content.entries, suite, file.name, logical=not physical)
    for entry in () if physical else content.entries:
        if entry.restart:
            click.echo(f"{entry.name}: restart is left out (line {entry.line})", err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    _write(output, text)
    click.echo(WROTE(path=output), err=True)


def _write(path: Path, text: str) -> None:
    """Raises CannotWrite, also where there is something already."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CannotWrite(path=path, reason=error.strerror) from None
