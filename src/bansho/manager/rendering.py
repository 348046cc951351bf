"""How things look: the templates, and what they need to show times, severities and sizes."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from bansho.events.event import StoredEvent
from bansho.manager.overview import HostView

HERE = Path(__file__).parent
STATIC = HERE / "static"
REASONS = {1: "local to local", 2: "local to remote", 3: "remote to local", 4: "forwarded by settings"}
TICKS = 6
"""The most lines of an axis after its first."""


def local(seconds: float) -> datetime:
    """The time in the server's zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def clock(seconds: float) -> str:
    """The time to the second, in the server's zone: `2026-11-22 08:41:00`."""
    return f"{local(seconds):%Y-%m-%d %H:%M:%S}"


def instant(seconds: float) -> str:
    """The time to the millisecond with its zone, for machines: `2026-11-22T08:41:00.250+00:00`."""
    return local(seconds).isoformat(timespec="milliseconds")


def zone() -> str:
    """The server's zone as people say it."""
    return f"{datetime.now(UTC).astimezone():%Z}"


def size(number: int) -> str:
    """Bytes for people: `7.4 MB`."""
    value, unit = float(number), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if unit != "bytes" else f"{number} bytes"


AGES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def age(seconds: float) -> str:
    """How long ago a moment was, for people, in its largest unit: `4 min`; less than a minute is `just now`."""
    passed = time.time() - seconds
    return next((f"{int(passed // size)} {unit} ago" for size, unit in AGES if passed >= size), "just now")


def ticks(seconds: float) -> list[tuple[float, str]]:
    """Where an axis of so many seconds has its lines, in percent, and what stands there."""
    step = next((each for each in (0.5, 1, 2, 5, 10, 20, 30, 60, 120) if seconds / each <= TICKS), seconds / TICKS)
    marks = [number * step for number in range(1 + int(seconds / step))] if seconds > 0 else [0.0]
    return [(percent(mark, seconds), f"{mark:g} s") for mark in marks]


def percent(part: float, whole: float) -> float:
    """The part in percent, to a hundredth."""
    return round(100 * part / whole, 2) if whole > 0 else 0.0


def environment() -> jinja2.Environment:
    """The console's templates: everything that is put into them is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(age=age, clock=clock, instant=instant, size=size, grouped=lambda number: f"{number:,}")
    made.globals.update(zone=zone, reasons=REASONS, ticks=ticks, percent=percent)
    return made


ENVIRONMENT = environment()


def rows(events: Iterable[StoredEvent]) -> str:
    """The events as new rows of the list, newest first."""
    return ENVIRONMENT.get_template("rows.html").render(events=events, fresh=True).strip()


def host(view: HostView, chosen: int | None) -> str:
    """The logical host, with the legs of the takeover whose epoch is chosen; of the newest where that is None."""
    return ENVIRONMENT.get_template("host_body.html").render(view=view, chosen=chosen).strip()
