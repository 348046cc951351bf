"""`bansho drill run --on-this-cluster NAME`: announced faults on a cluster of one's own."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from bansho.drill import campaign, report
from bansho.drill.campaign import Settings
from bansho.drill.site import announcement, faults, readiness
from bansho.drill.site import campaign as announced
from bansho.drill.site.errors import NotFit, Unconfirmed
from bansho.drill.site.here import here as logical_host

REFUSED, SHOWN, VIOLATED = 3, 2, 1
RATE = 10.0
"""Events a second where no rate is given: enough to miss one, too few to burden anybody."""


def run(
    name: str,
    names: Sequence[str],
    rounds: int | None,
    rate: float | None,
    folder: Path | None,
    *,
    reset: bool,
    yes: bool,
) -> int:
    """Shows the plan; with `yes`, carries it out: the exit code."""
    here, stamp, rate = logical_host(name), campaign.stamp(), RATE if rate is None else rate
    try:
        readiness.require(here)
    except NotFit as refusal:
        click.echo(refusal, err=True)
        return REFUSED
    named = faults.chosen(faults.faults(here), names, [faults.RESET_FLAG] if reset else [])
    chosen = [fault.aimed(here) for fault in named]
    series = announced.series(chosen, rounds)
    click.echo("\n".join(announcement.lines(here, chosen, series, rate, stamp)))
    if not yes:
        click.echo(Unconfirmed(name=name), err=True)
        return SHOWN
    nodes = len(here.host.cluster.nodes)
    settings = Settings(0, len(series), tuple(fault.name for fault in chosen), nodes, rate=rate)
    results: list[campaign.Result] = []
    folder = folder or Path(stamp)

    def write() -> None:
        report.write(settings, results, folder, announcement.notes(), report.ON_A_CLUSTER)

    write()  # fails now, not after the first round
    with closing(announced.run(here, series, rate, stamp, folder)) as going:
        for result in going:
            results.append(result)
            write()
            click.echo(campaign.line(result))
    click.echo(f"report in {folder}/report.html")
    return 0 if all(result.clean for result in results) else VIOLATED
