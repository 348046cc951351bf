"""The track record in figures: what the reports of campaigns, comparisons and endurance runs say together."""

import json
from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bansho.drill import comparison_report, endurance_report, picture, report, whole
from bansho.drill.comparison import CONTENDERS
from bansho.drill.figures import Figures
from bansho.drill.report import COUNTS, times

NOTHING: Figures = {"campaigns": {}, "comparisons": {}, "endurance": []}
ENDURANCE = ("settings", "conditions", "done", "restarts", "events", "growth", "problems", "clean")


def figures(found: Mapping[str, Any]) -> Figures:
    """What one `report.json` says; figures that were written before are taken as they are.

    Raises KeyError where something is missing, or the kind of report is none of these.
    """
    if "campaigns" in found:
        return {**NOTHING, **found}
    kind, nodes = found["kind"], str(found["settings"]["nodes"])
    if kind == comparison_report.KIND:
        return {**NOTHING, "comparisons": {nodes: _comparison(found)}}
    if kind == endurance_report.KIND:
        return {**NOTHING, "endurance": [{name: found[name] for name in ENDURANCE}]}
    if kind == report.KIND:
        return {**NOTHING, "campaigns": {nodes: _campaign(found)}}
    raise KeyError(f"a kind that is summed up: {kind}")


def merged(all_figures: Iterable[Figures]) -> Figures:
    """All of them as one."""
    return reduce(_added, all_figures, NOTHING)


def _added(one: Any, other: Any) -> Any:
    """Numbers are added, lists joined, objects merged; of two texts the first stays."""
    if isinstance(one, Mapping):
        every = [*one, *(name for name in other if name not in one)]
        return {
            name: _added(one[name], other[name]) if name in one and name in other else {**other, **one}[name]
            for name in every
        }
    return one if isinstance(one, str) else one + other


def _campaign(found: Mapping[str, Any]) -> dict[str, Any]:
    rounds = found["rounds"]
    return {
        "runs": [{"seed": found["settings"]["seed"], "rounds": len(rounds), "at_once": found["settings"]["at_once"]}],
        "conditions": [found["conditions"]],
        "rounds": len(rounds),
        "clean": sum(each["clean"] for each in rounds),
        "faults": reduce(_added, ({each["fault"]: _round(each)} for each in rounds), {}),
        "invariants": {
            name: {"holds": holds, **_invariant(each["verdicts"].get(name) for each in rounds)}
            for name, holds in found["invariants"].items()
        },
        "violations": [text for each in rounds for text in _violations(each)],
        "events": {name: found["events"][name] for name in COUNTS},
    }


def _round(found: Mapping[str, Any]) -> dict[str, Any]:
    seen = found["noticed"] and found["recovered"] is not None
    return {
        "rounds": 1,
        "kept": int(found["clean"]),
        "seen": int(seen),
        "times": [round(found["recovered"], 3)] if seen else [],
        "silences": [round(found["silence"], 3)] if seen else [],
    }


def _invariant(verdicts: Iterable[list[str] | None]) -> dict[str, int]:
    judged = [each for each in verdicts if each is not None]
    return {"judged": len(judged), "violated": sum(bool(each) for each in judged)}


def _violations(found: Mapping[str, Any]) -> Iterable[str]:
    where = f"round {found['number']}, {found['fault']}"
    if found["error"]:
        yield f"{where}: {found['error']}"
    for name, violations in found["verdicts"].items():
        if violations and violations != [found["error"]]:
            yield f"{where}: {name}: {'; '.join(violations)}"


def _comparison(found: Mapping[str, Any]) -> dict[str, Any]:
    settings, trials, shown = comparison_report.restored(found)
    return {
        "runs": [{"seed": settings.seed, "rounds": settings.rounds, "trials": len(trials)}],
        "conditions": [found["conditions"]],
        "times": {measure: comparison_report.measured(trials, measure) for measure in comparison_report.MEASURES},
        "failed": list(found["failed"]),
        "second owners": comparison_report.second_owners(trials),
        "events": comparison_report.events(trials),
        "configurations": shown,
    }


def group_times(found: Figures, nodes: str, fault: str) -> list[float]:
    """Seconds until the plain pgsql group ran again after a fault; empty where they were not compared."""
    compared = found["comparisons"].get(nodes, {}).get("times", {}).get("running", {})
    return list(compared.get(fault, {}).get("pgsql", []))


def three(values: list[float]) -> str:
    """Median, p95 and max, as in a table."""
    if not values:
        return "-"
    summed = times(values)
    return f"{summed.median:.1f} / {summed.p95:.1f} / {summed.max:.1f}"


def cell(compared: Mapping[str, Any], measure: str, fault: str, contender: str) -> str:
    """Of a comparison: a contender's times after a fault, or why there are none."""
    values = compared["times"][measure].get(fault, {}).get(contender, ())
    if values:
        return three(values)
    trials = (text.partition(", ")[2] for text in compared["failed"])
    return "never" if any(f"{each} ".startswith(f"{contender}: {fault} ") for each in trials) else "not run"


def markdown(found: Figures, drawn: str = "") -> str:
    """The page. `drawn`: the picture's name beside it; "" for none."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 - Markdown of our own figures
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    page = environment.get_template("track_record.md.j2").render(
        **found, drawn=drawn, contenders=CONTENDERS, three=three, cell=cell, group=lambda n, f: group_times(found, n, f)
    )
    return page.rstrip() + "\n"


def svg(found: Figures) -> str:
    """The comparisons as a picture; without any, the campaigns' times."""
    rows = {
        f"{fault}, {nodes} nodes": by_name
        for nodes, compared in sorted(found["comparisons"].items(), reverse=True)
        for fault, by_name in sorted(compared["times"]["silence"].items())
    }
    if rows:
        return picture.pairs(rows, CONTENDERS, "Longest time without an acknowledged write, seconds")
    times_of = {
        f"{fault}, {nodes} nodes": counted["times"]
        for nodes, campaign in sorted(found["campaigns"].items(), reverse=True)
        for fault, counted in sorted(campaign["faults"].items())
    }
    return picture.strip(times_of, "Until all runs again")


def write(found: Figures, out: Path) -> None:
    """OUT.md, OUT.svg and OUT.json."""
    out.parent.mkdir(parents=True, exist_ok=True)
    whole.write(Path(f"{out}.json"), json.dumps(found, indent=1) + "\n")
    whole.write(Path(f"{out}.svg"), svg(found))
    whole.write(Path(f"{out}.md"), markdown(found, f"{out.name}.svg"))
