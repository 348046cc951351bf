"""`bansho cluster status`, `move`, `maintenance` and `standby`: a registered logical host in operation."""

import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from bansho.cluster import errors
from bansho.cluster.pacemaker import operate
from bansho.cluster.pacemaker import status as statuses
from bansho.cluster.pacemaker.cib import Cib
from bansho.cluster.pacemaker.status import Failure, HostStatus, Running
from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition, history, timeline
from bansho.logicalhost.history import Takeover

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object instead.")


class Seconds(click.FloatRange):
    """Seconds from `least` to a day. Not a number (nan) is refused too: no comparison would tell that it is none."""

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=86400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Fails as wrong usage."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


TIMEOUT = click.option("--timeout", type=Seconds(1), default=600, show_default=True, help="Seconds to wait for it.")


def confirm(what: str, effects: Sequence[str], yes: bool) -> None:
    """Asks before something that runs is stopped. Raises NotConfirmed where nobody is there, or the answer is no."""
    if yes:
        return
    refused = errors.NotConfirmed(what=what, effects=", ".join(effects))
    if not sys.stdin.isatty() or not click.confirm(f"{what}: the cluster will {', '.join(effects)}. Go on?"):
        raise refused


@click.command()
@click.argument("name", required=False)
@click.option("--watch", type=Seconds(0.1), help="Show it anew every so many seconds, until Ctrl-C.")
@AS_JSON
def status(name: str | None, watch: float | None, as_json: bool) -> None:
    """Show what runs where, since when, the failures that are counted, and the last takeover with its legs.

    Without NAME: every logical host of the cluster. The legs are on the shared disk, so the active node shows them.
    """
    while True:
        shown = [operate.current(each) for each in ([name] if name else every())]
        if as_json:
            click.echo(json.dumps([document(each) for each in shown]))
        else:
            if watch is not None:
                click.clear()
            click.echo("\n".join(line for each in shown for line in lines(each)))
        if watch is None:
            break
        time.sleep(watch)


def every() -> list[str]:
    """The logical hosts that the cluster knows."""
    return statuses.registered(statuses.look(Cib()))


def takeovers(name: str) -> list[Takeover]:
    """The takeovers that this node can read, newest first: the shared disk is on the active node alone."""
    try:
        return history.read(definition.load(name).shared)
    except (BanshoError, OSError):
        return []


def document(found: HostStatus) -> dict[str, Any]:
    """For JSON."""
    last = takeovers(found.name)[:1]
    return {
        "name": found.name,
        "home": found.home,
        "quorum": found.quorum,
        "maintenance": found.maintenance,
        "unmanaged": found.unmanaged,
        "stopped": found.stopped,
        "nodes": {each.name: each.state for each in found.nodes},
        "resources": [each._asdict() for each in found.resources],
        "failures": [each._asdict() for each in found.failures],
        "last_takeover": last[0]._asdict() | {"legs": legs(last[0])} if last else None,
    }


def legs(takeover: Takeover) -> list[dict[str, Any]]:
    """Each leg, how long it took, and how many seconds after the takeover's beginning it was reached."""
    return [
        {"leg": each.name, "title": each.title, "took": round(each.took, 3), "after": round(each.reached, 3)}
        for each in timeline.timeline(takeover).legs
    ]


def lines(found: HostStatus) -> Iterator[str]:
    """For a person at a terminal."""
    where = f"runs on {found.home}" if found.home else "does not run as a whole"
    yield f"logical host {found.name}: {where}{'' if found.quorum else '; the cluster has NO QUORUM'}"
    if found.maintenance:
        yield "  IN MAINTENANCE: the cluster keeps its hands off, nothing is monitored, restarted or failed over"
    if found.unmanaged:
        yield f"  UNMANAGED: {', '.join(found.unmanaged)}: monitored, but neither restarted nor failed over"
    if found.stopped:
        yield "  stopped by an operator"
    yield "  nodes: " + ", ".join(f"{each.name} {each.state}" for each in found.nodes)
    yield from map(resource_line, found.resources)
    yield from map(failure_line, found.failures)
    yield from takeover_lines(found)


def resource_line(each: Running) -> str:
    """One resource: what it is doing, where, since when, and what is wrong."""
    marks = [
        word for word, on in (("FAILED", each.failed), ("BLOCKED", each.blocked), ("unmanaged", not each.managed)) if on
    ]
    since = f" since {when(each.since)}" if each.since else ""
    reason = f": {each.reason}" if each.reason else ""
    return f"  {each.id:<24} {each.role} {' '.join(each.nodes)}{since} {' '.join(marks)}{reason}".rstrip()


def failure_line(each: Failure) -> str:
    """Failures that are still counted."""
    counted = "banned from it until the failure window has passed" if each.bans else f"{each.counted} counted"
    return f"  failures of {each.resource} on {each.node}: {counted}, last {each.last}"


def takeover_lines(found: HostStatus) -> Iterator[str]:
    """The last takeover with its legs."""
    last = takeovers(found.name)[:1]
    if not last:
        yield f"  last takeover: told on the active node{f', {found.home}' if found.home else ''}"
    for takeover in last:
        yield f"  last takeover: {when(takeover.at)}, epoch {takeover.epoch}, {takeover.previous} -> {takeover.node}"
        yield from (f"    + {each['after']:.2f} s  {each['title']} ({each['took']:.2f} s)" for each in legs(takeover))


def when(seconds: float) -> str:
    """A time in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@click.command()
@click.argument("name")
@click.argument("node", required=False)
@TIMEOUT
@AS_JSON
def move(name: str, node: str | None, timeout: float, as_json: bool) -> None:
    """Move the logical host NAME to NODE, or away from where it runs, in its sequence.

    Nothing is left behind: it may fail over again, also to where it came from.
    """
    show(operate.move(name, node, timeout), as_json)


@click.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@click.argument("name")
@AS_JSON
def maintenance(switch: str, name: str, as_json: bool) -> None:
    """Keep the cluster's hands off the logical host NAME (on), or give it back to the cluster (off).

    In maintenance nothing is monitored, restarted or failed over, and `status` says so.
    """
    show(operate.maintenance(name, switch == "on"), as_json)


@click.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@click.argument("node")
@TIMEOUT
def standby(switch: str, node: str, timeout: float) -> None:
    """Put NODE to rest (on): what runs there moves, and nothing starts there until off."""
    operate.standby(node, switch == "on", timeout)
    click.echo((errors.RESTS if switch == "on" else errors.RESTS_NOT)(node=node), err=True)


def show(found: HostStatus, as_json: bool) -> None:
    """The status after an operation."""
    click.echo(json.dumps(document(found)) if as_json else "\n".join(lines(found)))
