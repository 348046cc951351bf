"""`bansho drill`: faults under load, audited and reported."""

import json
import random
import signal
import sys
from pathlib import Path
from typing import NoReturn

import click

from bansho.drill import campaign, report
from bansho.drill.audits import AUDITS
from bansho.drill.campaign import Result, Settings
from bansho.drill.faults import FAULTS, GROUPS, chosen
from bansho.lab.errors import MachineUnfit
from bansho.lab.requirements import missing


@click.group()
def command() -> None:
    """Break a logical host on purpose, under load, and audit what must hold whatever happens.

    Needs root and the lab (`bansho lab --help`): the faults strike nodes that the drill makes, never this machine's.
    """


@command.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def faults(as_json: bool) -> None:
    """List the faults by group, and the invariants that are audited after each."""
    if as_json:
        found = [
            {"name": f.name, "what": f.what, "undone": f.undone, "needs": f.needs, "expected": f.expected}
            for f in FAULTS.values()
        ]
        click.echo(json.dumps({"faults": found, "invariants": {audit.id: audit.holds for audit in AUDITS}}))
        return
    for group, names in GROUPS.items():
        click.echo(f"{group}:")
        for name in names:
            click.echo(f"  {name:<24} {FAULTS[name].what}; undone {FAULTS[name].undone}")
    click.echo("audited after each:")
    for audit in AUDITS:
        click.echo(f"  {audit.id:<4} {audit.holds}")


@command.command()
@click.option("--seed", type=int, help="The same seed gives the same series of faults. Left out: a new one, shown.")
@click.option("--rounds", type=click.IntRange(1), default=20, show_default=True)
@click.option("--faults", "names", help="Names or groups of `bansho drill faults`, separated by commas. Left out: all.")
@click.option("--nodes", type=click.IntRange(2, 9), default=3, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 2), default=1, show_default=True, help="Faults in one round.")
@click.option("--rate", default=50.0, show_default=True, help="Events a second from the sender outside.")
@click.option("--keep-going", is_flag=True, help="Go on after a violation.")
@click.option("--report", "folder", type=click.Path(path_type=Path), help="Folder for the report.", metavar="FOLDER")
@click.option("--name", default="drill", show_default=True, help="The lab's name.")
def run(
    seed: int | None,
    rounds: int,
    names: str | None,
    nodes: int,
    at_once: int,
    rate: float,
    keep_going: bool,
    folder: Path | None,
    name: str,
) -> None:
    """Run a campaign: rounds of traffic, a fault, recovery and audit.

    It stops at the first violation, with logs, records and a timeline in FOLDER/round-N. Exit codes: 0 every invariant
    was kept, 1 one was violated or the drill could not go on, 2 wrong usage.
    """
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    wanted = tuple(filter(None, (names or "").split(",")))
    selected = chosen(wanted, nodes)
    if lacking := missing():
        raise MachineUnfit(missing="; ".join(lacking))
    seed = random.randrange(1 << 31) if seed is None else seed  # noqa: S311 - a name for a series
    settings = Settings(seed, rounds, tuple(fault.name for fault in selected), nodes, at_once, rate, keep_going)
    folder = folder or Path(campaign.stamp())
    results: list[Result] = []
    report.write(settings, results, folder)  # fails now, not after the first round
    click.echo(f"seed {seed}, {rounds} rounds over {len(selected)} faults; report in {folder}/report.html")
    try:
        for result in campaign.run(settings, selected, folder, name):
            results.append(result)
            report.write(settings, results, folder)
            click.echo(_line(result))
    except KeyboardInterrupt:
        click.echo("\ntaken down", err=True)
        sys.exit(1)
    sys.exit(0 if all(result.clean for result in results) else 1)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _line(result: Result) -> str:
    broken = "; ".join(f"{audit}: {found[0]}" for audit, found in result.verdicts.items() if found)
    after = "never" if result.recovered is None else f"{result.recovered:.2f} s"
    where = f"{result.victim} -> {result.successor or '?'}"
    return f"{result.number:4} {result.fault:<28} {where} {after:>8} {f'VIOLATED {broken}' if broken else 'kept'}"
