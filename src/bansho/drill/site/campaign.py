"""The rounds on a user's cluster, one after the other, each only where all is well; it ends at the first violation."""

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from bansho.cluster.pacemaker.cib import Cib
from bansho.contract.messages import BanshoError
from bansho.drill import campaign, trace
from bansho.drill.audits.evidence import Evidence
from bansho.drill.campaign import Result
from bansho.drill.mishaps import Mishaps
from bansho.drill.progress import step
from bansho.drill.site import readiness, sending
from bansho.drill.site.errors import NOT_UNDONE
from bansho.drill.site.faults import Announced
from bansho.drill.site.here import Here
from bansho.drill.site.interruption import undisturbed
from bansho.drill.site.round import Round

UNSEEN = frozenset({"I1"})
"""Invariants of which one node sees so little that silence is no verdict."""


def series(faults: Sequence[Announced], rounds: int | None) -> list[Announced]:
    """One fault a round, in their order; without a number of rounds, each once."""
    return list(islice(cycle(faults), len(faults) if rounds is None else rounds))


def run(
    here: Here, faults: Sequence[Announced], rate: float, stamp: str, folder: Path
) -> Generator[Result, None, None]:
    """Runs the rounds; each result as it comes. What a violation needs to be looked into is in `folder/round-N`.

    However it ends, the logical host is brought home, its failures are forgotten and the token is revoked; what could
    not be undone is said on stderr. Raises NoLongerFit where it is not all well between two rounds.
    """
    with sending.traffic(here, stamp, rate) as traffic, _given_back(here):
        for number, fault in enumerate(faults, 1):
            if number > 1:
                readiness.require_still(here, number - 1)
            result = _round(here, number, fault, traffic, len(faults), folder)
            yield result
            if not result.clean:
                return


@contextmanager
def _given_back(here: Here) -> Iterator[None]:
    """Brings the logical host home at the end, however that comes about."""
    try:
        yield
    finally:
        with undisturbed(), step("giving everything back"):
            try:
                here.come_home()
                here.forget_failures()
            except BanshoError as reason:
                todo = f"bansho cluster move {here.name} {here.node}"
                print(
                    NOT_UNDONE(name=here.name, what=f"it is not all running here ({reason})", todo=todo),
                    file=sys.stderr,
                )


def _round(here: Here, number: int, fault: Announced, traffic: sending.Traffic, rounds: int, folder: Path) -> Result:
    going = Round(here, number, fault, traffic)
    with step(f"round {number} of {rounds}: {fault.name}"):
        going.run()
    evidence = going.evidence()
    nodes = going.mishaps.read(lambda: [each.name for each in here.status().nodes], [*here.host.cluster.nodes])
    result = campaign.result_of(number, evidence, nodes, going.noticed, going.due, str(going.mishaps))
    result = result._replace(verdicts={name: _judged(name, found) for name, found in result.verdicts.items()})
    return result if result.clean else _kept(here, evidence, result, going.mishaps, folder / f"round-{number}")


def _judged(invariant: str, found: list[str] | None) -> list[str] | None:
    """What one node cannot see is no verdict, unless it saw a violation."""
    return None if invariant in UNSEEN and not found else found


def _kept(here: Here, evidence: Evidence, result: Result, mishaps: Mishaps, folder: Path) -> Result:
    """With its folder written; what cannot be had is one mishap more."""
    with mishaps.noted():
        _keep(here, evidence, result, folder)
    trace.tracebacks(mishaps, folder)
    return result._replace(error=str(mishaps))


def _keep(here: Here, evidence: Evidence, result: Result, folder: Path) -> None:
    """What is needed to look into a violation; the logs of Pacemaker and Corosync are each node's own."""
    trace.record(evidence, result.timeline, result.verdicts, folder, result.error)
    (folder / "crm_mon.txt").write_text(Cib().run("crm_mon", "-1", "-r", "-f", accepted=range(256)).stdout)
    trace.copy(here.host.node.root, folder / "run")
    trace.copy(here.host.shared.log, folder / "shared-log")
