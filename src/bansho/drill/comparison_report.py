"""A comparison's report: `report.html` for people, `report.json` for programs and for going on with it later."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from bansho.drill import conditions, picture, whole
from bansho.drill.comparison import CONTENDERS, Settings, Trial
from bansho.drill.report import COUNTS, times, typed
from bansho.drill.tally import Tally

KIND = "comparison"
MEASURES = {
    "silence": "longest time without an acknowledged write",
    "reached": "from the fault to the end of that time",
    "running": "until all of it ran again, from the fault, or from its undoing where only that mends it",
}


def measured(trials: Sequence[Trial], measure: str) -> dict[str, dict[str, list[float]]]:
    """Fault -> contender -> seconds, in order of the fault's name; without the trials that did not recover."""
    found: dict[str, dict[str, list[float]]] = {}
    for trial in sorted(trials, key=lambda each: (each.fault, each.round)):
        values = found.setdefault(trial.fault, {name: [] for name in CONTENDERS})[trial.contender]
        value = getattr(trial, measure)
        if value is not None:
            values.append(round(value, 3))
    return found


def failed(trials: Sequence[Trial]) -> list[Trial]:
    """Those that did not recover within the limit, or could not be brought to their end."""
    return [trial for trial in trials if trial.silence is None]


def second_owners(trials: Sequence[Trial]) -> list[str]:
    """The trials after which a server lived on where its disk was not."""
    return [
        f"round {each.round}, {each.contender}: {each.fault}: a server still ran on {', '.join(each.left_on)}"
        f" when {each.successor} had taken over"
        for each in trials
        if each.left_on
    ]


def events(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """Contender -> what became of its writes."""
    whole = [trial for trial in trials if trial.silence is not None]
    return {
        name: {count: sum(getattr(each.tally, count) for each in whole if each.contender == name) for count in COUNTS}
        for name in CONTENDERS
    }


def document(settings: Settings, trials: Sequence[Trial], shown: Mapping[str, str]) -> dict[str, Any]:
    """The report for programs."""
    summed = {
        measure: {
            fault: {name: times(values)._asdict() for name, values in by_name.items() if values}
            for fault, by_name in measured(trials, measure).items()
        }
        for measure in MEASURES
    }
    return {
        "kind": KIND,
        "settings": settings._asdict(),
        "measures": MEASURES,
        "times": summed,
        "failed": [
            f"round {each.round}, {each.contender}: {each.fault} {each.error}".strip() for each in failed(trials)
        ],
        "second owners": second_owners(trials),
        "events": events(trials),
        "configurations": dict(shown),
        "trials": [each._asdict() | {"tally": each.tally._asdict()} for each in trials],
    }


def restored(found: Mapping[str, Any]) -> tuple[Settings, list[Trial], dict[str, str]]:
    """What `document` was made of. Raises KeyError or TypeError where that is not there, msgspec.ValidationError."""
    trials = [Trial(**each | {"tally": Tally(**each["tally"])}) for each in found["trials"]]
    return (
        typed(Settings(**found["settings"]), Settings),
        typed(trials, list[Trial]),
        typed(found["configurations"], dict[str, str]),
    )


def html(report: Mapping[str, Any], trials: Sequence[Trial]) -> str:
    """The report for people."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    drawn = picture.pairs(
        measured(trials, "silence"), CONTENDERS, "Longest time without an acknowledged write, seconds"
    )
    return environment.get_template("comparison.html").render(
        report=report,
        settings=report["settings"],
        trials=trials,
        contenders=CONTENDERS,
        made=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        distribution=Markup(drawn),  # noqa: S704 - escaped there
    )


def write(settings: Settings, trials: Sequence[Trial], shown: Mapping[str, str], folder: Path) -> None:
    """`report.html` and `report.json`, anew."""
    folder.mkdir(parents=True, exist_ok=True)
    report = document(settings, trials, shown) | {"conditions": conditions.now()._asdict()}
    whole.write(folder / "report.json", json.dumps(report, indent=1) + "\n")
    whole.write(folder / "report.html", html(report, trials))
