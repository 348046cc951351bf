"""The original's definition files, read strictly, and written anew as a suite of ours. Pure.

`jp1co_service.conf` has a line `name|start-options|restart|count|interval|reset|` for each process of Manager,
`jp1bs_service_0700.conf` one with a path after the name for each of Base, and the event server's settings file `conf` a
line `restart count interval reset` among others. `#` begins a comment line. (Public manuals of JP1/IM and JP1/Base,
"definition file for extended startup process" and "event server settings file".)
"""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bansho.contract.limits import NAME_BYTES
from bansho.logicalhost.definition import NAME

RESTART = ("restart", "count", "interval", "reset")
FORMS: Mapping[str, tuple[str, ...]] = {
    "jp1co_service.conf": ("name", "start-options", *RESTART),
    "jp1bs_service_0700.conf": ("name", "path", "start-options", *RESTART),
    "conf": (),
}
"""File name -> the fields of a line, each ended by `|`; none: only the line that begins with `restart` is looked at."""
SUITES = {"jp1co_service.conf": "manager", "jp1bs_service_0700.conf": "base"}
"""File name -> the suite whose services it lists."""
EVENT_SERVICE = "event-service"

RANGES = {"restart": (0, 1), "count": (0, 99), "interval": (0, 3600), "reset": (1, 2**31 - 1)}
"""What a number may be; the manuals that we could read give no range for `reset`."""
NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)


class Entry(NamedTuple):
    """One line: a process and how it is restarted. Times are in seconds."""

    line: int
    name: str
    command: tuple[str, ...]
    """Its program, as far as the file names it, and its options."""
    restart: bool
    tries: int
    interval: int
    reset: int


class Problem(NamedTuple):
    """What is wrong with a line."""

    line: int
    what: str
    expected: str


class Content(NamedTuple):
    """A file: its entries, in order, and what is wrong with the lines that are none."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


def form_of(name: str) -> str | None:
    """The form of a file by its name, which may end in `.model`, as the original delivers it. None: no such file."""
    name = name.removesuffix(".model")
    return name if name in FORMS else None


def read(text: str, form: str) -> Content:
    """The content of a file of that form. Lines are counted from 1."""
    found = [
        _entry(number, line, form) for number, line in _lines(text) if FORMS[form] or line.split()[:1] == ["restart"]
    ]
    entries = tuple(each for each in found if isinstance(each, Entry))
    problems = [each for each in found if isinstance(each, Problem)]
    return Content(entries, tuple(sorted([*problems, *_repeated(entries)])))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line that says something, with its number."""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip(" \t\r")
        if bare and not bare.startswith("#"):
            yield number, bare


def _entry(number: int, line: str, form: str) -> Entry | Problem:
    if not line.isprintable() and not line.replace("\t", " ").isprintable():
        return Problem(number, "a character that cannot be printed", "UTF-8 text without control characters")
    fields = _fields(number, line, form)
    return fields if isinstance(fields, Problem) else _checked(number, fields)


def _fields(number: int, line: str, form: str) -> dict[str, str] | Problem:
    """The line's fields by their names."""
    names = FORMS[form]
    if not names:
        words = line.split()
        if len(words) != len(RESTART):
            return Problem(number, f"{len(words) - 1} values", "restart COUNT INTERVAL RESET")
        switched = "1" if words[1].strip("0") else "0"
        return {"name": EVENT_SERVICE, **dict(zip(RESTART, words, strict=True)), "restart": switched}
    *parts, rest = line.split("|")
    if rest or len(parts) != len(names):
        return Problem(number, f"{len(parts)} fields and {rest!r} after them", "".join(f"{name}|" for name in names))
    return dict(zip(names, (part.strip() for part in parts), strict=True))


def _checked(number: int, fields: Mapping[str, str]) -> Entry | Problem:
    name = fields["name"]
    if not NAME.fullmatch(name) or len(name) > NAME_BYTES:
        return Problem(number, f"name {name!r}", f"1 to {NAME_BYTES} letters, digits, '.', '_' and '-'")
    if fields.get("path") == "":
        return Problem(number, "no path", "the path of the program")
    for field, (least, most) in RANGES.items():
        if not NUMBER.fullmatch(fields[field]) or not least <= int(fields[field]) <= most:
            return Problem(number, f"{field} {fields[field]!r}", f"a whole number from {least} to {most}")
    try:
        options = shlex.split(fields.get("start-options", ""))
    except ValueError as error:
        return Problem(number, f"start-options {fields['start-options']!r}", f"closed quotes ({error})")
    restart, *numbers = (int(fields[field]) for field in RESTART)
    return Entry(number, name, (fields.get("path", name), *options), bool(restart), *numbers)


def _repeated(entries: Iterable[Entry]) -> Iterator[Problem]:
    times: Counter[str] = Counter()
    for entry in entries:
        times[entry.name] += 1
        if times[entry.name] == 2:
            yield Problem(entry.line, f"{entry.name} for the second time", "one line for each")


def suite(entries: Sequence[Entry], name: str, source: str, *, logical: bool) -> str:
    """The suite file for `entries` of the file `source`, as TOML; its comments say what was carried over."""
    head = [
        f"# Carried over from {source} by bansho import. docs/house.md explains every key.",
        "# Look at: command (the original's program, and its path where the file named none), after (the original says",
        "# nothing of what waits for what), and whether the program reports READY=1 by sd_notify.",
        f"suite = {_quoted(name)}",
    ]
    return "\n".join([*head, *(line for entry in entries for line in _table(entry, logical)), ""])


def _table(entry: Entry, logical: bool) -> Iterator[str]:
    yield from ("", "[[service]]")
    yield f"name = {_quoted(entry.name)}  # line {entry.line}"
    yield f"command = [{', '.join(_quoted(part) for part in entry.command)}]"
    every = f"{entry.tries} times, {entry.interval} s apart, counted anew after {entry.reset} s"
    if entry.restart and logical:
        yield f"# restart ({every}) is left out: on a logical host the cluster software alone restarts"
    elif entry.restart:
        yield "restart = 1"
        yield f"restart-count = {entry.tries}"
        yield f"restart-interval = {entry.interval}"
        yield f"restart-reset = {entry.reset}"
    else:
        yield f"# restart was off ({every})"


def _quoted(text: str) -> str:
    """A string as TOML has it; of printable text JSON's form is the same."""
    return json.dumps(text, ensure_ascii=False)
