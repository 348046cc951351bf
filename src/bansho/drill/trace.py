"""What happened in a round, as a timeline; and everything needed to look into a violation, in a folder."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from bansho.drill.audits.evidence import Evidence, Sample
from bansho.drill.mishaps import Mishaps
from bansho.drill.stage import HOST, SHARED, Stage
from bansho.lab.errors import NodeOff

LOGS = ("pacemaker", "corosync")


class Event(NamedTuple):
    """Something that happened; `at` in seconds after the fault."""

    at: float
    node: str
    what: str


def timeline(evidence: Evidence) -> tuple[Event, ...]:
    """The fault, the power, the watch, the marks and the changes of status values, in order of time. Pure."""
    found = [(evidence.struck, evidence.victim, f"FAULT: {evidence.fault}"), *_from_outside(evidence)]
    found += ((mark.at, mark.node, mark.leg) for mark in evidence.marks if mark.at >= evidence.began)
    found += _answers(evidence.samples)
    if evidence.recovered is not None:
        found.append((evidence.recovered, evidence.successor, "all running again"))
    return tuple(Event(round(at - evidence.struck, 3), node, what) for at, node, what in sorted(found))


def _from_outside(evidence: Evidence) -> Iterator[tuple[float, str, str]]:
    for entry in evidence.power:
        yield entry.wall, entry.node, f"power: {entry.action} by {entry.by}{'' if entry.done else ', asked for'}"
    for change in evidence.changes:
        yield change.wall, change.node, f"{'took' if change.held else 'let go of'} the {change.what}"


def _answers(samples: Sequence[Sample]) -> Iterator[tuple[float, str, str]]:
    """The first of each run of equal answers."""
    ordered = sorted(samples, key=lambda each: (each.node, each.suite, each.at))
    for (node, suite, value), run in groupby(ordered, key=lambda each: (each.node, each.suite, each.value)):
        yield next(run).at, node, f"{suite} status {value}"


def keep(
    stage: Stage,
    evidence: Evidence,
    events: Sequence[Event],
    verdicts: Mapping[str, object],
    folder: Path,
    error: str,
) -> None:
    """Writes evidence, timeline, verdicts and the logs of all nodes, also of those without power, to `folder`."""
    record(evidence, events, verdicts, folder, error)
    keep_logs(stage, folder)
    (folder / "overview.json").write_text(json.dumps(stage.overview(), indent=2) + "\n")


def tracebacks(mishaps: Mishaps, folder: Path) -> None:
    """Writes where the mishaps came from to `folder`, which is made; nothing where there were none."""
    if mishaps:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "traceback.txt").write_text(mishaps.tracebacks)


def keep_logs(stage: Stage, folder: Path) -> None:
    """Copies the power log, the logs of all nodes, and the shared directory's to `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(stage.lab.places.log, folder / "power.log")
    for node in stage.lab.spec.nodes:
        _keep_node(stage, node, folder / node)
    active = stage.active()
    if active:
        copy(Path(f"/proc/{active.pid}/root{SHARED}/log"), folder / "shared-log")


def record(
    evidence: Evidence, events: Sequence[Event], verdicts: Mapping[str, object], folder: Path, error: str
) -> None:
    """Writes evidence, timeline and verdicts to `folder`, in place of an older round's."""
    folder.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = evidence._asdict() | {"touched": sorted(evidence.touched), "error": error}
    document["fenceable"] = None if evidence.fenceable is None else sorted(evidence.fenceable)
    document["required"] = {suite: sorted(names) for suite, names in evidence.required.items()}
    (folder / "evidence.json").write_text(json.dumps(document, default=str) + "\n")
    (folder / "verdicts.json").write_text(json.dumps(verdicts, indent=2) + "\n")
    lines = (f"{event.at:+9.3f}  {event.node:<8} {event.what}\n" for event in events)
    (folder / "timeline.txt").write_text("".join(lines))


def _keep_node(stage: Stage, name: str, folder: Path) -> None:
    """Its logs, from its root's changes: they are there without power too; run-time files only with."""
    node = stage.lab.node(name)
    store = Path(f"/proc/{stage.lab.pid}/root{stage.lab.places.store}/{name}/system/upper/var/log")
    for log in LOGS:
        copy(store / log, folder / log)
    with suppress(NodeOff):
        copy(Path(f"/proc/{node.pid}/root/run/bansho/{HOST}"), folder / "run")
        (folder / "crm_mon.txt").write_text(node.run(["timeout", "10", "crm_mon", "-1", "-r", "-f"]).stdout)


def copy(source: Path, target: Path) -> None:
    """Copies the plain files below a folder; what vanishes or cannot be read meanwhile is left out."""
    for path in source.rglob("*") if source.is_dir() else ():
        with suppress(OSError):
            if path.is_file() and not path.is_symlink():
                there = target / path.relative_to(source)
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, there)
    target.mkdir(parents=True, exist_ok=True)
