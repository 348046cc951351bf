"""`bansho drill`: faults under load, audited and reported."""

import json
import random
import sys
from pathlib import Path

import click

from bansho.cli import drill_folder, drill_here, drill_record
from bansho.cli.drill_call import RATE, until_interrupted, wrong_usage
from bansho.drill.audits import AUDITS
from bansho.drill.campaign import Settings
from bansho.drill.faults import FAULTS, GROUPS, chosen
from bansho.drill.site.faults import GENERAL

LAB_ONLY = ("seed", "nodes", "at_once", "keep_going", "name")
HERE_ONLY = ("with_reset", "yes")
KILL = "kill -9 of a service, or of a suite's process manager"
GIVEN_BACK = "ended early; what was changed is given back, unless something else is said above"


@click.group()
def command() -> None:
    """Break a logical host on purpose, under load, and audit what must hold whatever happens.

    Needs root and the lab (`bansho lab --help`): the faults strike nodes that the drill makes. Only
    `run --on-this-cluster` touches a cluster of yours, with announced faults, and after --yes.
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
        invariants = {audit.id: audit.holds for audit in AUDITS}
        click.echo(json.dumps({"faults": found, "announced": _announced(), "invariants": invariants}))
        return
    for group, names in GROUPS.items():
        click.echo(f"{group}:")
        for name in names:
            click.echo(f"  {name:<24} {FAULTS[name].what}; undone {FAULTS[name].undone}")
    click.echo("on a cluster of your own (run --on-this-cluster):")
    for each in _announced():
        needs = f"; needs {each['flag']}" if each["flag"] else ""
        click.echo(f"  {each['name']:<24} {each['what']}; undone {each['undone']}{needs}")
    click.echo("audited after each:")
    for audit in AUDITS:
        click.echo(f"  {audit.id:<4} {audit.holds}")


def _announced() -> list[dict[str, str]]:
    """Those for a cluster of one's own; which services it has only that cluster says."""
    kill = {"name": "kill-SERVICE", "what": KILL, "undone": "by the cluster", "flag": ""}
    return [kill, *({"name": f.name, "what": f.what, "undone": f.undone, "flag": f.flag} for f in GENERAL)]


@command.command()
@click.option("--seed", type=int, help="The same seed gives the same series of faults. Left out: a new one, shown.")
@click.option("--rounds", type=click.IntRange(1), help="Left out: 20; on this cluster, each fault once.")
@click.option("--faults", "names", help="Names or groups of `bansho drill faults`, separated by commas. Left out: all.")
@click.option("--nodes", type=click.IntRange(2, 9), default=3, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 2), default=1, show_default=True, help="Faults in one round.")
@click.option("--rate", type=RATE, help="Events a second from the sender outside (50; on this cluster 10).")
@click.option("--keep-going", is_flag=True, help="Go on after a violation.")
@click.option("--report", "folder", type=click.Path(path_type=Path), help="Folder for the report.", metavar="FOLDER")
@click.option("--name", default="drill", show_default=True, help="The lab's name.")
@click.option("--on-this-cluster", "host", metavar="NAME", help="Strike the logical host NAME of the cluster here.")
@click.option("--with-reset", is_flag=True, help="On this cluster: let the fencing device reset a node, too.")
@click.option("--yes", is_flag=True, help="On this cluster: do it. Without, the plan is shown and nothing done.")
@click.pass_context
def run(
    context: click.Context,
    seed: int | None,
    rounds: int | None,
    names: str | None,
    nodes: int,
    at_once: int,
    rate: float | None,
    keep_going: bool,
    folder: Path | None,
    name: str,
    host: str | None,
    with_reset: bool,
    yes: bool,
) -> None:
    """Run a campaign: rounds of traffic, a fault, recovery and audit.

    It stops at the first violation, with logs, records and a timeline in FOLDER/round-N. Exit codes: 0 every invariant
    was kept, 1 one was violated or the drill could not go on, 2 wrong usage.

    On a cluster of your own, call it on the node where the logical host runs: it shows what will be done to which node,
    what users will notice and how it is undone, and ends with 2 unless --yes is given; with 3 where something speaks
    against a drill, such as missing fencing or a counted failure.
    """
    wanted = tuple(filter(None, (names or "").split(",")))
    _one_of_both(context, [*LAB_ONLY] if host else [*HERE_ONLY], "--on-this-cluster" if host else "a lab of its own")
    with wrong_usage():
        if host:
            with until_interrupted(GIVEN_BACK):
                new = drill_folder.fresh(folder, resumable=False) if folder else None
                sys.exit(drill_here.run(host, wanted, rounds, rate, new, reset=with_reset, yes=yes))
        new, selected = drill_folder.fresh(folder), tuple(fault.name for fault in chosen(wanted, nodes))
    settings = Settings(_seed(seed), rounds or 20, selected, nodes, at_once, rate or 50.0, keep_going)
    drill_record.campaign_from(settings, [], new, name)


def _seed(given: int | None) -> int:
    return random.randrange(1 << 31) if given is None else given  # noqa: S311 - a name for a series


def _one_of_both(context: click.Context, options: list[str], where: str) -> None:
    """An option that would be without effect is a mistake about where the faults strike."""
    for each in options:
        if context.get_parameter_source(each) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{each.replace('_', '-')} is not for {where}")


for each in (drill_record.compare, drill_record.endure, drill_record.resume, drill_record.summary):
    command.add_command(each)
