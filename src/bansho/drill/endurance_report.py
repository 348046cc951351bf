"""An endurance run's report: `report.html` for people, `report.json` for programs."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from bansho.drill import conditions, picture, whole
from bansho.drill.endurance import Result, Samplings, Settings
from bansho.drill.usage import TOLERATED

KIND = "endurance"


def document(settings: Settings, result: Result) -> dict[str, Any]:
    """The report for programs."""
    return {
        "kind": KIND,
        "settings": settings._asdict(),
        "clean": result.clean,
        "problems": list(result.problems),
        "done": [each._asdict() for each in result.done],
        "restarts": list(result.restarts),
        "events": result.tally._asdict(),
        "growth": {
            name(*series): found._asdict() | {"leaks": found.leaks} for series, found in sorted(result.growth.items())
        },
        "samples": by_name(result.samples),
        "after restarts": by_name(result.restarted),
    }


def name(of: str, measure: str) -> str:
    """A series in words."""
    return f"{of}: {measure}"


def by_name(samples: Samplings) -> dict[str, list[tuple[float, float]]]:
    """The samples by words, in order of measure and of what was measured."""
    order = sorted(samples, key=lambda series: (list(TOLERATED).index(series.measure), series.of))
    return {name(*series): samples[series] for series in order}


def drawing(samples: Mapping[str, Any]) -> str:
    """How memory, descriptors and the rest went. SVG."""
    return picture.courses(samples, "What is used, under load (memory in KiB)")


def html(report: Mapping[str, Any]) -> str:
    """The report for people."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    return environment.get_template("endurance.html").render(
        report=report,
        settings=report["settings"],
        made=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        drawing=Markup(drawing(report["samples"])),  # noqa: S704 - escaped there
    )


def write(settings: Settings, result: Result, folder: Path) -> None:
    """`report.html` and `report.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    report = document(settings, result) | {"conditions": conditions.now()._asdict()}
    whole.write(folder / "report.json", json.dumps(report, indent=1) + "\n")
    whole.write(folder / "report.html", html(report))
