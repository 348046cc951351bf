"""`bansho doctor`: is everything right on this node?"""

import json
import sys
from collections.abc import Iterator, Sequence

import click

from bansho.cluster.doctor import examine
from bansho.cluster.doctor.finding import Examined, Level
from bansho.logicalhost import definition

MARKS = {Level.OK: "ok  ", Level.WARNING: "warn", Level.PROBLEM: "BAD ", Level.UNKNOWN: "??  "}


@click.command()
@click.argument("name")
@click.option("--all", "everything", is_flag=True, help="Also what is right.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead.")
def command(name: str, everything: bool, as_json: bool) -> None:
    """Examine this node: is everything right for the logical host NAME to run here?

    It only looks. Each finding says what was found, why it matters and what to do. Exit codes: 0 nothing is wrong
    (there may be warnings), 1 something is wrong, 3 nothing is wrong as far as could be looked at, but some checks
    could not be made here.
    """
    examined = list(examine.examine(examine.subject(definition.load(name))))
    verdict = examine.verdict(examined)
    if as_json:
        document = {"name": name, "verdict": verdict, "checks": [each.as_document() for each in examined]}
        click.echo(json.dumps(document))
    else:
        click.echo("\n".join([*lines(examined, everything), summary(examined)]))
    sys.exit(verdict)


def lines(examined: Sequence[Examined], everything: bool) -> Iterator[str]:
    """A line a finding; what is right only when everything is asked for."""
    for check, findings in examined:
        for finding in findings:
            if finding.level is not Level.OK:
                yield f"{MARKS[finding.level]} {check.name}: {finding.what}"
                yield f"       why: {check.why}"
                yield f"       do:  {finding.todo}"
            elif everything:
                yield f"{MARKS[finding.level]} {check.name}: {finding.what}"


def summary(examined: Sequence[Examined]) -> str:
    """How many of each."""
    levels = [finding.level for each in examined for finding in each.findings]
    return ", ".join(f"{levels.count(level)} {level.value}" for level in Level)
