"""Which events a person wants to see: the filter in an address's query, and one page of what it lets through."""

from collections.abc import Iterable
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams

from bansho.events.event import LARGEST_SERIAL, SEVERITIES
from bansho.manager.errors import MalformedFilter

NO_SEVERITY = "none"
"""Stands in a filter for events that have no severity."""
SEVERITY_CHOICES = (*SEVERITIES, NO_SEVERITY)
ROWS = 100
"""The most events of one page, and of one answer."""
TEXT_LENGTH = 200
"""The most characters of a text or source server to search for."""
SHOWN = 40
"""The most characters of a wrong parameter that an error repeats."""
PARAMETERS = frozenset({"severity", "source", "text", "before", "limit"})


class Filter(msgspec.Struct, frozen=True):
    """What an event must have; what is empty lets every event through."""

    severities: tuple[str, ...] = ()
    """Any of these; `none` for events without one."""
    source: str = ""
    """The whole name of the source server."""
    text: str = ""
    """Part of the message, upper and lower case alike."""

    def query(self, **more: object) -> str:
        """The filter, and what is to stand beside it, as an address's query without the `?`."""
        pairs: list[tuple[str, object]] = [("severity", each) for each in self.severities]
        pairs += [(name, value) for name in ("source", "text") if (value := getattr(self, name))]
        return urlencode([*pairs, *more.items()])


class Page(msgspec.Struct, frozen=True):
    """Which of the events that pass: the newest `limit` ones with a serial below `before`."""

    before: int | None = None
    limit: int = ROWS


def read(parameters: QueryParams, beside: Iterable[str] = ()) -> tuple[Filter, Page]:
    """The filter and the page in an address's query, where `beside` names parameters of other meaning.

    Parameters that are empty, as in a form that was not filled in, count as left out. Raises MalformedFilter.
    """
    for name in parameters:
        if name not in PARAMETERS and name not in beside:
            expected = f"one of {', '.join(sorted(PARAMETERS))}"
            raise _malformed(name, parameters[name], expected)
    severities = tuple(dict.fromkeys(filter(None, parameters.getlist("severity"))))
    for each in severities:
        if each not in SEVERITY_CHOICES:
            raise _malformed("severity", each, f"one of {', '.join(SEVERITY_CHOICES)}")
    wanted = Filter(severities, _text(parameters, "source"), _text(parameters, "text"))
    limit = number(parameters, "limit", ROWS)
    return wanted, Page(number(parameters, "before", LARGEST_SERIAL), ROWS if limit is None else limit)


def number(parameters: QueryParams, name: str, most: int, least: int = 1) -> int | None:
    """A whole number in an address's query, None where it is left out or empty. Raises MalformedFilter."""
    value = parameters.get(name, "")
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 20 and least <= int(value) <= most):
        raise _malformed(name, value, f"a whole number from {least} to {most}")
    return int(value)


def _text(parameters: QueryParams, name: str) -> str:
    value = parameters.get(name, "")
    if len(value) > TEXT_LENGTH or "\0" in value:
        raise _malformed(name, value, f"at most {TEXT_LENGTH} characters of text")
    return value


def _malformed(name: str, value: str, expected: str) -> MalformedFilter:
    return MalformedFilter(name=name[:SHOWN], value=value[:SHOWN], expected=expected)
