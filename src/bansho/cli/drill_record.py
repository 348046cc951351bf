"""`bansho drill compare | endure | resume | summary`: the track record in figures."""

import json
import random
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from bansho.drill import campaign, comparison, comparison_report, endurance, endurance_report, report, track_record
from bansho.drill.errors import NoReport, OnACluster
from bansho.drill.faults import FAULTS, chosen
from bansho.lab.errors import MachineUnfit
from bansho.lab.requirements import missing

T = TypeVar("T")
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--seed", type=int, help="The same seed gives the same series. Left out: a new one, shown.")
@click.option("--rounds", type=click.IntRange(1), default=13, show_default=True, help="A round: a fault, at each.")
@click.option("--faults", "names", help="Names, separated by commas. Left out: all.")
@click.option("--nodes", type=click.IntRange(2, 9), default=3, show_default=True)
@click.option("--rate", default=50.0, show_default=True, help="Writes a second from the sender outside.")
@click.option("--report", "folder", type=FOLDER, help="Folder for the report.", metavar="FOLDER")
@click.option("--name", default="compare", show_default=True, help="The lab's name.")
def compare(
    seed: int | None, rounds: int, names: str | None, nodes: int, rate: float, folder: Path | None, name: str
) -> None:
    """Set the logical host beside a plain group of Filesystem, IPaddr2 and ocf:heartbeat:pgsql.

    The same faults strike both in turns, on the same nodes, disk and address, while a sender outside writes. Exit
    codes: 0 all came back, 1 something did not or the comparison was ended early, 2 wrong usage.
    """
    wanted = comparison.chosen(filter(None, (names or "").split(",")), nodes)
    seed = random.randrange(1 << 31) if seed is None else seed  # noqa: S311 - a name for a series
    settings = comparison.Settings(seed, rounds, wanted, nodes, rate)
    _compare(settings, [], {}, folder or Path(campaign.stamp()), name)


def _compare(
    settings: comparison.Settings, trials: list[comparison.Trial], shown: dict[str, str], folder: Path, name: str
) -> NoReturn:
    def show(trial: comparison.Trial) -> None:
        trials.append(trial)
        comparison_report.write(settings, trials, shown, folder)
        after = "never" if trial.silence is None else f"{trial.silence:.2f} s"
        click.echo(f"{trial.round:4} {trial.fault:<18} {trial.contender:<8} {after:>9} {trial.error}".rstrip())

    comparison.chosen(settings.faults, settings.nodes)  # one may have been renamed since
    comparison_report.write(settings, trials, shown, folder)  # fails now, not after the first trial
    click.echo(f"seed {settings.seed}, {settings.rounds} rounds; report in {folder}/report.html")
    _until_interrupted(comparison.run(settings, shown, folder, len(trials), name), show)
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
    return f"{fault:<18} {'  '.join(cells)}".rstrip()


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--name", default="drill", show_default=True, help="The lab's name.")
def resume(folder: Path, name: str) -> None:
    """Go on with the campaign or comparison whose report is in FOLDER, from the round in which it was ended."""
    path = folder / "report.json"
    found = _read(path)
    try:
        if found.get("kind") == comparison_report.KIND:
            _compare(*comparison_report.restored(found), folder, name)
        settings, results = report.restored(found)
    except (KeyError, TypeError) as error:
        raise NoReport(path=path, reason=f"nothing to go on with: {error}") from None
    _campaign(settings, results, folder, name)


def _campaign(settings: campaign.Settings, results: list[campaign.Result], folder: Path, name: str) -> NoReturn:
    def show(result: campaign.Result) -> None:
        results.append(result)
        report.write(settings, results, folder)
        click.echo(f"{result.number:4} {result.fault:<28} {'kept' if result.clean else 'VIOLATED'}")

    chosen(settings.faults, settings.nodes)  # one may have been renamed since
    faults = [FAULTS[each] for each in settings.faults]
    _until_interrupted(campaign.run(settings, faults, folder, name, len(results)), show)
    sys.exit(0 if all(result.clean for result in results) else 1)


@click.command()
@click.option("--hours", type=click.FloatRange(0.01), default=8.0, show_default=True, help="Whose work is done.")
@click.option("--minutes", type=click.FloatRange(0.1), default=10.0, show_default=True, help="In which it is done.")
@click.option("--load", type=click.FloatRange(0), default=8.0, show_default=True, help="Busy loops a processor.")
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
    folder = folder or Path(campaign.stamp())
    folder.mkdir(parents=True, exist_ok=True)  # fails now, not after the run
    results: list[endurance.Result] = []

    def show(result: endurance.Result) -> None:
        results.append(result)
        endurance_report.write(settings, result, folder)
        for each in result.done:
            click.echo(f"{each.name:<34} {each.made:>6,} of {each.wanted:>6,}, {each.hours:.1f} hours' worth")
        for problem in result.problems:
            click.echo(f"MUST NOT BE: {problem}")
        click.echo(f"{'clean' if result.clean else 'NOT CLEAN'}; report in {folder}/report.html")

    _until_interrupted((endurance.run_all(settings, lab=each) for each in [name]), show)
    sys.exit(0 if results and results[0].clean else 1)


@click.command()
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), help="Write FILE.md, FILE.svg and FILE.json.", metavar="FILE")
def summary(reports: tuple[Path, ...], out: Path | None) -> None:
    """Sum up the `report.json` of campaigns, comparisons and endurance runs: Markdown, with a picture.

    Campaigns with the same number of nodes are added up, comparisons too. A FILE.json that was written before can be
    given as well: it holds what its reports said.
    """
    figures = track_record.merged([_figures(path) for path in reports])
    if out is None:
        click.echo(track_record.markdown(figures), nl=False)
        return
    track_record.write(figures, out)
    click.echo(f"written: {out}.md, {out}.svg, {out}.json")


def _until_interrupted(rounds: Iterable[T], show: Callable[[T], object]) -> None:
    """Each round as it comes. Ctrl-C and SIGTERM take the lab down and keep what there is: exit code 1."""
    if lacking := missing():
        raise MachineUnfit(missing="; ".join(lacking))
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    try:
        for found in rounds:
            show(found)
    except KeyboardInterrupt:
        click.echo("\ntaken down; go on with: bansho drill resume FOLDER", err=True)
        sys.exit(1)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _figures(path: Path) -> track_record.Figures:
    """Raises NoReport or OnACluster."""
    try:
        return track_record.figures(_read(path))
    except (KeyError, TypeError) as error:
        raise NoReport(path=path, reason=f"it lacks {error}") from None


def _read(path: Path) -> dict[str, Any]:
    """Raises NoReport or OnACluster."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NoReport(path=path, reason=str(error)) from None
    if not isinstance(found, dict):
        raise NoReport(path=path, reason="it is no JSON object")
    if found.get("kind") == report.ON_A_CLUSTER:
        raise OnACluster(path=path)
    return found
