"""`bansho drill compare | endure | resume | summary`: the track record in figures."""

import random
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import click

from bansho.cli import drill_folder
from bansho.cli.drill_call import RATE, Figure, until_interrupted, wrong_usage
from bansho.drill import (
    campaign,
    comparison,
    comparison_report,
    endurance,
    endurance_report,
    figures,
    report,
    track_record,
)
from bansho.drill.faults import FAULTS, chosen
from bansho.lab.errors import MachineUnfit
from bansho.lab.requirements import missing

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--seed", type=int, help="The same seed gives the same series. Left out: a new one, shown.")
@click.option("--rounds", type=click.IntRange(1), help="A round: a fault, at each. Left out: each fault once.")
@click.option("--faults", "names", help="Names or groups, separated by commas. Left out: all.")
@click.option("--nodes", type=click.IntRange(2, 9), default=3, show_default=True)
@click.option("--rate", type=RATE, default=50.0, show_default=True, help="Writes a second from the sender outside.")
@click.option("--report", "folder", type=FOLDER, help="Folder for the report.", metavar="FOLDER")
@click.option("--name", default="compare", show_default=True, help="The lab's name.")
def compare(
    seed: int | None, rounds: int | None, names: str | None, nodes: int, rate: float, folder: Path | None, name: str
) -> None:
    """Set the logical host beside a plain group of Filesystem, IPaddr2 and ocf:heartbeat:pgsql.

    The same faults strike both in turns, on the same nodes, disk and address, while a sender outside writes. Exit
    codes: 0 all came back, 1 something did not or the comparison was ended early, 2 wrong usage.
    """
    with wrong_usage():
        wanted, new = comparison.chosen(filter(None, (names or "").split(",")), nodes), drill_folder.fresh(folder)
    seed = random.randrange(1 << 31) if seed is None else seed  # noqa: S311 - a name for a series
    _compare(comparison.Settings(seed, rounds or len(wanted), wanted, nodes, rate), [], {}, new, name)


def _compare(
    settings: comparison.Settings, trials: list[comparison.Trial], shown: dict[str, str], folder: Path, name: str
) -> NoReturn:
    comparison.chosen(settings.faults, settings.nodes)  # one may have been renamed since
    _require_a_lab()
    comparison_report.write(settings, trials, shown, folder)  # fails now, not after the first trial
    click.echo(_announced(settings, folder))
    with _resumable(folder):
        for trial in comparison.run(settings, shown, folder, len(trials), name):
            trials.append(trial)
            comparison_report.write(settings, trials, shown, folder)
            after = "never" if trial.silence is None else f"{trial.silence:.2f} s"
            click.echo(f"{trial.round:4} {trial.fault:<28} {trial.contender:<8} {after:>9} {trial.error}".rstrip())
    for fault, found in comparison_report.measured(trials, "silence").items():
        click.echo(_side_by_side(fault, found))
    sys.exit(1 if comparison_report.failed(trials) else 0)


def _side_by_side(fault: str, found: dict[str, list[float]]) -> str:
    """Median / p95 / max of each contender."""
    cells = []
    for name, values in found.items():
        summed = report.times(values) if values else None
        told = f"{summed.median:.2f} / {summed.p95:.2f} / {summed.max:.2f} s" if summed else "never"
        cells.append(f"{name} {told:<26}")
    return f"{fault:<28} {'  '.join(cells)}".rstrip()


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--name", default="drill", show_default=True, help="The lab's name.")
def resume(folder: Path, name: str) -> None:
    """Go on with the campaign or comparison whose report is in FOLDER, from the round in which it was ended."""
    path = folder / drill_folder.REPORT
    found = drill_folder.read(path)
    if found.get("kind") == comparison_report.KIND:
        with drill_folder.understood(path):
            compared = comparison_report.restored(found)
        _compare(*compared, folder, name)
    with drill_folder.understood(path):
        going = report.restored(found)
    campaign_from(*going, folder, name)


def campaign_from(settings: campaign.Settings, results: list[campaign.Result], folder: Path, name: str) -> NoReturn:
    """Runs the rounds of a campaign that come after its results, in a lab, and ends with its exit code."""
    chosen(settings.faults, settings.nodes)  # one may have been renamed since
    faults = [FAULTS[each] for each in settings.faults]
    _require_a_lab()
    report.write(settings, results, folder)  # fails now, not after the first round
    click.echo(_announced(settings, folder))
    with _resumable(folder):
        for result in campaign.run(settings, faults, folder, name, len(results)):
            results.append(result)
            report.write(settings, results, folder)
            click.echo(campaign.line(result))
    sys.exit(0 if all(result.clean for result in results) else 1)


def _announced(settings: campaign.Settings | comparison.Settings, folder: Path) -> str:
    faults, where = len(settings.faults), folder / "report.html"
    return f"seed {settings.seed}, {settings.rounds} rounds over {faults} faults; report in {where}"


def _resumable(folder: Path) -> AbstractContextManager[None]:
    return until_interrupted(f"taken down; go on with: {drill_folder.resuming(folder)}")


def _require_a_lab() -> None:
    """Raises MachineUnfit."""
    if lacking := missing():
        raise MachineUnfit(missing="; ".join(lacking))


@click.command()
@click.option("--hours", type=Figure(0.01), default=8.0, show_default=True, help="Whose work is done.")
@click.option("--minutes", type=Figure(0.1), default=10.0, show_default=True, help="In which it is done.")
@click.option("--load", type=Figure(), default=8.0, show_default=True, help="Busy loops a processor.")
@click.option("--restarts", type=click.IntRange(0), default=8, show_default=True, help="Of the logical host, before.")
@click.option("--nodes", type=click.IntRange(2, 9), default=2, show_default=True)
@click.option("--report", "folder", type=FOLDER, help="Folder for the report.", metavar="FOLDER")
@click.option("--name", default="endure", show_default=True, help="The lab's name.")
def endure(
    hours: float, minutes: float, load: float, restarts: int, nodes: int, folder: Path | None, name: str
) -> None:
    """Do the work of hours in minutes, under CPU load, and look whether anything grows or the cluster acts.

    As many calls of the monitoring commands, events, log rotations and restarts as that many hours of operation bring;
    what goes by the clock, such as beats, is not compressed. Exit codes: 0 nothing must not be, 1 something did or the
    run was ended early, 2 wrong usage.
    """
    settings = endurance.Settings(hours, minutes, load, restarts, nodes)
    with wrong_usage():
        new = drill_folder.fresh(folder, resumable=False)
    _require_a_lab()
    new.mkdir(parents=True, exist_ok=True)  # fails now, not after the run
    with until_interrupted("taken down; an endurance run cannot be gone on with, only begun again"):
        result = endurance.run_all(settings, lab=name)
    endurance_report.write(settings, result, new)
    for each in result.done:
        click.echo(f"{each.name:<34} {each.made:>6,} of {each.wanted:>6,}, {each.hours:.1f} hours' worth")
    for problem in result.problems:
        click.echo(f"MUST NOT BE: {problem}")
    click.echo(f"{'clean' if result.clean else 'NOT CLEAN'}; report in {new}/report.html")
    sys.exit(0 if result.clean else 1)


@click.command()
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), help="Write FILE.md, FILE.svg and FILE.json.", metavar="FILE")
def summary(reports: tuple[Path, ...], out: Path | None) -> None:
    """Sum up the `report.json` of campaigns, comparisons and endurance runs: Markdown, with a picture.

    Campaigns with the same number of nodes are added up, comparisons too. A FILE.json that was written before can be
    given as well: it holds what its reports said.
    """
    found = track_record.merged([_figures(path) for path in reports])
    if out is None:
        click.echo(track_record.markdown(found), nl=False)
        return
    track_record.write(found, out)
    click.echo(f"written: {out}.md, {out}.svg, {out}.json")


def _figures(path: Path) -> figures.Figures:
    """Raises NoReport or OnACluster."""
    found = drill_folder.read(path)
    with drill_folder.understood(path):
        return figures.checked(track_record.figures(found))
