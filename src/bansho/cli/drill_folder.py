"""Where a drill's report goes, and the report that is there."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bansho.drill import campaign, report
from bansho.drill.errors import NoReport, OnACluster, ReportExists

REPORT = "report.json"


def resuming(folder: Path) -> str:
    """The command that goes on with what is in a folder."""
    return f"bansho drill resume {shlex.quote(str(folder))}"


def fresh(folder: Path | None, *, resumable: bool = True) -> Path:
    """The folder for a new report; for none given, one that is named for now. Raises ReportExists."""
    found = folder or Path(campaign.stamp())
    if (found / REPORT).exists():
        other = "name another folder"
        todo = f"go on with it by: {resuming(found)}, or {other}" if resumable else other
        raise ReportExists(path=found / REPORT, todo=todo)
    return found


def read(path: Path) -> dict[str, Any]:
    """What a report says. Raises NoReport or OnACluster."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise NoReport(path=path, reason=str(error)) from None
    if not isinstance(found, dict):
        raise NoReport(path=path, reason="it is no JSON object")
    if found.get("kind") == report.ON_A_CLUSTER:
        raise OnACluster(path=path)
    return found


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """For what reads a report's parts: what it stumbles over is the report's fault. Raises NoReport."""
    try:
        yield
    except KeyError as name:
        raise NoReport(path=path, reason=f"it lacks {name}") from None
    except (LookupError, TypeError, AttributeError, ValueError, msgspec.ValidationError) as problem:
        raise NoReport(path=path, reason=str(problem)) from None
