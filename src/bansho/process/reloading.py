"""What reading a suite's definition again changes: which key of which service, and from when on. Pure.

What a program found when it was started stays as it was until its next start: its command, its user, its environment
(WATCHDOG_USEC too, so also the limit behind it). All else is the process manager's own and counts at once.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from bansho.process.definition import Service, Suite

AT_ONCE, NEXT_START = "at once", "at its next start"
SUITE_KEYS = ("on_service_failure", "process_events")
SERVICE_KEYS = {
    "command": NEXT_START,
    "after": AT_ONCE,
    "start_limit": NEXT_START,
    "stop_limit": AT_ONCE,
    "watchdog": NEXT_START,
    "environment": NEXT_START,
    "user": NEXT_START,
    "run_folder": NEXT_START,
    "restart": AT_ONCE,
    "restart_count": AT_ONCE,
    "restart_interval": AT_ONCE,
    "restart_reset": AT_ONCE,
}
"""Key of a service -> when a change of it counts; "enabled" starts or stops the service, at once."""
SHOWN_CHARACTERS = 200
"""The longest value that is shown."""


class Change(NamedTuple):
    """One key whose value is another one now."""

    service: str
    """"": it is the suite's."""
    key: str
    """As in the file; `environment.NAME` for one variable."""
    before: str
    after: str
    """Both as JSON, cut; "" for a variable, which may be a secret."""
    applied: str
    """AT_ONCE or NEXT_START."""

    def __str__(self) -> str:
        of = f"service {self.service}" if self.service else "the suite"
        if self.key == "enabled":
            return f"{of} {'starts' if self.after == 'true' else 'stops'}"
        if not self.before and not self.after:
            return f"{of}: {self.key} changes"
        return f"{of}: {self.key} becomes {self.after}, it was {self.before}"


def changes(before: Suite, after: Suite, unlaunched: Collection[str]) -> list[Change]:
    """What is different in `after`; all counts at once for services that are still `unlaunched`."""
    old, new = before.enabled, after.enabled
    found = [_change("", key, before, after, AT_ONCE) for key in SUITE_KEYS if _differ(before, after, key)]
    found += [Change(name, "enabled", "true", "false", AT_ONCE) for name in old if name not in new]
    for name, service in new.items():
        if name in old:
            found += _of_service(old[name], service, launched=name not in unlaunched)
        else:
            found.append(Change(name, "enabled", "false", "true", AT_ONCE))
    return found


def until_next_start(running: Service, wanted: Service) -> Service:
    """The definition that counts while a service runs that was started by another one."""
    kept = {key: getattr(running, key) for key, applied in SERVICE_KEYS.items() if applied is NEXT_START}
    return msgspec.structs.replace(wanted, **kept)


def _of_service(before: Service, after: Service, *, launched: bool) -> Iterator[Change]:
    for key, when in SERVICE_KEYS.items():
        applied = when if launched else AT_ONCE
        if key == "environment":
            for name in sorted(dict(before.environment.items() ^ after.environment.items())):
                yield Change(after.name, f"environment.{name}", "", "", applied)
        elif _differ(before, after, key):
            yield _change(after.name, key, before, after, applied)


def _differ(before: object, after: object, key: str) -> bool:
    return bool(getattr(before, key) != getattr(after, key))


def _change(service: str, key: str, before: object, after: object, applied: str) -> Change:
    return Change(service, key.replace("_", "-"), _shown(getattr(before, key)), _shown(getattr(after, key)), applied)


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
