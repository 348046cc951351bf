"""How things look: the templates, and what they need to show times, severities and sizes."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from bansho.events.event import StoredEvent

HERE = Path(__file__).parent
STATIC = HERE / "static"
REASONS = {1: "local to local", 2: "local to remote", 3: "remote to local", 4: "forwarded by settings"}


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
    made.filters.update(clock=clock, instant=instant, size=size, grouped=lambda number: f"{number:,}")
    made.globals.update(zone=zone, reasons=REASONS)
    return made


ENVIRONMENT = environment()


def rows(events: Iterable[StoredEvent]) -> str:
    """The events as new rows of the list, newest first."""
    return ENVIRONMENT.get_template("rows.html").render(events=events, fresh=True).strip()
