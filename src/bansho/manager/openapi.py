"""The JSON API's description, made from the structs that it answers with (OpenAPI 3.1)."""

import re
from typing import Any

import msgspec

from bansho import __version__
from bansho.events.event import LARGEST_SERIAL, StoredEvent
from bansho.manager.filters import ROWS, SEVERITY_CHOICES, TEXT_LENGTH
from bansho.manager.overview import HostView


class EventList(msgspec.Struct, frozen=True):
    """Some events, newest first; `next` is the `before` of the next, older page, null where this is the last."""

    events: list[StoredEvent]
    next: int | None


class Health(msgspec.Struct, frozen=True):
    """Whether the console answers, and whether it reaches the IM database (`live`, `away`)."""

    status: str
    database: str


class Problem(msgspec.Struct, frozen=True):
    """What went wrong: a message whose id never changes its meaning."""

    error: str


SERIAL = {"type": "integer", "minimum": 1, "maximum": LARGEST_SERIAL}
SHORT_TEXT = {"type": "string", "maxLength": TEXT_LENGTH}
FILTER = [
    (
        "severity",
        {"type": "array", "items": {"type": "string", "enum": SEVERITY_CHOICES}},
        "any of these; `none` for events without one",
    ),
    ("source", SHORT_TEXT, "the whole name of the source server"),
    ("text", SHORT_TEXT, "part of the message, upper and lower case alike"),
    ("before", SERIAL, "only events with a smaller serial"),
    ("limit", {"type": "integer", "minimum": 1, "maximum": ROWS, "default": ROWS}, "the most events of the answer"),
]


def document() -> dict[str, Any]:
    """The description as plain data."""
    (_, components) = msgspec.json.schema_components(
        [EventList, StoredEvent, HostView, Health, Problem], ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "bansho event console", "version": __version__},
        "security": [{"session": []}, {"basic": []}],
        "paths": {
            "/api/v1/events": {"get": _get("The newest events", EventList, _filter(), (400, 401, 503, 504))},
            "/api/v1/events/{serial}": {"get": _get("One event", StoredEvent, [_serial()], (401, 404, 503, 504))},
            "/api/v1/host": {"get": _get("The logical host", HostView, [], (401,))},
            "/healthz": {"get": {**_get("Whether the console answers", Health, [], ()), "security": []}},
        },
        "components": {"schemas": _plain(components), "securitySchemes": _security()},
    }


def _get(summary: str, shape: type, parameters: list[dict[str, Any]], problems: tuple[int, ...]) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": _answer(summary, shape),
            **{str(status): _answer("It cannot be answered", Problem) for status in problems},
        },
    }


def _answer(description: str, shape: type) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _filter() -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": schema, "description": text} for name, schema, text in FILTER]


def _serial() -> dict[str, Any]:
    return {"name": "serial", "in": "path", "required": True, "schema": SERIAL}


def _security() -> dict[str, Any]:
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": "bansho-session"},
        "basic": {"type": "http", "scheme": "basic"},
    }


def _plain(schema: Any) -> Any:
    """The schema with its patterns in JSON's dialect, which writes the end of a text `$`, not `\\Z`."""
    if isinstance(schema, dict):
        return {key: _pattern(value) if key == "pattern" else _plain(value) for key, value in schema.items()}
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema


def _pattern(pattern: Any) -> Any:
    return re.sub(r"\\Z$", "$", pattern) if isinstance(pattern, str) else _plain(pattern)
