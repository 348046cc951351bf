"""A campaign's report: one HTML file that needs nothing else, and the same as JSON."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeVar

import msgspec
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from bansho.drill import conditions, picture, whole
from bansho.drill.audits import AUDITS
from bansho.drill.campaign import Result, Settings
from bansho.drill.faults import FAULTS
from bansho.drill.legs import Leg
from bansho.drill.tally import Tally
from bansho.drill.trace import Event

T = TypeVar("T")
KIND, ON_A_CLUSTER = "campaign", "campaign on a cluster"
"""What a report is of: a campaign in a lab, or one on a cluster of the user's own."""
KEPT, BROKEN, SILENT = "kept", "VIOLATED", "-"
COUNTS = ("sent", "acknowledged", "stored", "lost", "doubled", "invented", "unanswered")


class Times(NamedTuple):
    """Seconds from a fault to all running again, over the rounds of one fault."""

    rounds: int
    median: float
    p95: float
    max: float


def times(values: Sequence[float]) -> Times:
    """Of at least one value. The p95 is the smallest value that at least 95 % do not exceed."""
    ordered = sorted(values)
    return Times(len(ordered), median(ordered), ordered[-(-95 * len(ordered) // 100) - 1], ordered[-1])


def by_fault(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The rounds by what struck in them, in order of name."""
    found: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda each: each.fault):
        found.setdefault(result.fault, []).append(result)
    return found


def distribution(results: Iterable[Result]) -> dict[str, list[float]]:
    """By fault, the times until all ran again, of those rounds in which anything was seen of it."""
    seen = [each for each in results if each.noticed and each.recovered is not None]
    return {fault: [each.recovered or 0.0 for each in rounds] for fault, rounds in by_fault(seen).items()}


def verdict(results: Iterable[Result], audit: str) -> str:
    """Of an invariant over rounds: broken once is broken; kept where at least one round could be judged."""
    judged = [found for each in results if (found := each.verdicts.get(audit)) is not None]
    if any(judged):
        return BROKEN
    return KEPT if judged else SILENT


def totals(results: Iterable[Result]) -> dict[str, int]:
    """What became of the events of all rounds."""
    tallies = [each.tally for each in results if not each.error]
    return {name: sum(getattr(each, name) for each in tallies) for name in COUNTS}


def document(
    settings: Settings, results: Sequence[Result], notes: Sequence[str] = (), kind: str = KIND
) -> dict[str, Any]:
    """The report for programs; `notes` are what a reader must know beside the numbers."""
    grouped = by_fault(results)
    return {
        "kind": kind,
        "settings": settings._asdict(),
        "notes": list(notes),
        "clean": bool(results) and all(each.clean for each in results),
        "invariants": {audit.id: audit.holds for audit in AUDITS},
        "verdicts": {fault: {a.id: verdict(rounds, a.id) for a in AUDITS} for fault, rounds in grouped.items()},
        "recovered": {fault: times(values)._asdict() for fault, values in distribution(results).items()},
        "events": totals(results),
        "rounds": [_round(each) for each in results],
    }


def _round(result: Result) -> dict[str, Any]:
    nested = {"legs": result.legs, "timeline": result.timeline}
    found = {name: [each._asdict() for each in values] for name, values in nested.items()}  # type: ignore[attr-defined]
    return result._asdict() | {"tally": result.tally._asdict(), "clean": result.clean} | found


def restored(found: Mapping[str, Any]) -> tuple[Settings, list[Result]]:
    """What `document` was made of. Raises KeyError or TypeError where that is not there, msgspec.ValidationError."""
    results = [_restored(each) for each in found["rounds"]]
    return typed(Settings(**found["settings"]), Settings), typed(results, list[Result])


def typed(value: object, kind: type[T]) -> T:
    """The value, each part as annotated, which a named tuple does not look at. Raises msgspec.ValidationError."""
    return msgspec.convert(msgspec.to_builtins(value), kind)


def _restored(found: Mapping[str, Any]) -> Result:
    parts = {name: value for name, value in found.items() if name != "clean"}
    parts["tally"] = Tally(**found["tally"])
    parts["legs"] = tuple(Leg(**each) for each in found["legs"])
    parts["timeline"] = tuple(Event(**each) for each in found["timeline"])
    return Result(**parts)


def html(settings: Settings, results: Sequence[Result], notes: Sequence[str] = ()) -> str:
    """The report for people."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    return environment.get_template("report.html").render(
        settings=settings,
        report=document(settings, results, notes),
        results=results,
        audits=AUDITS,
        faults=FAULTS,
        made=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        distribution=Markup(picture.strip(distribution(results), "Until all runs again")),  # noqa: S704 - escaped there
        pictures={each.number: Markup(picture.svg(each.legs, _title(each))) for each in results if each.legs},  # noqa: S704
    )


def _title(result: Result) -> str:
    return f"Round {result.number}: {result.fault}, {result.victim} to {result.successor}"


def write(
    settings: Settings, results: Sequence[Result], folder: Path, notes: Sequence[str] = (), kind: str = KIND
) -> None:
    """`report.html` and `report.json`, anew."""
    folder.mkdir(parents=True, exist_ok=True)
    found = document(settings, results, notes, kind) | {"conditions": conditions.now()._asdict()}
    whole.write(folder / "report.json", json.dumps(found, indent=1) + "\n")
    whole.write(folder / "report.html", html(settings, results, notes))
