"""Every mistake of a document at once, each where it stands."""

import copy
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.shape import MOST, mistakes
from bansho.process.definition import Suite

SERVICE: dict[str, Any] = {"name": "a", "command": ["true"]}


def keys(document: Any, shape: Any = Suite) -> list[str]:
    return [each.key for each in mistakes(document, shape)]


def test_what_is_right_has_none() -> None:
    assert keys({"suite": "base", "service": [SERVICE]}) == []


def test_every_mistake_is_found_where_it_stands() -> None:
    wrong = [
        {**SERVICE, "name": 5},
        SERVICE,
        {**SERVICE, "command": [1, "x", 2], "nope": 1, "start-limit": -1},
        {**SERVICE, "environment": {"A": 1}, "restart": 7},
    ]
    assert keys({"suite": "base", "service": wrong, "x": 1}) == [
        "service[0].name",
        "service[2].command[0]",
        "service[2].command[2]",
        "service[2]",
        "service[2].start-limit",
        "service[3].environment",
        "service[3].restart",
        "the file",
    ]


def test_what_is_missing_is_told_and_what_was_wrong_is_not_called_missing() -> None:
    services: list[dict[str, Any]] = [{**SERVICE, "name": 5}, {"command": ["true"]}, {"name": "b"}]
    found = list(mistakes({"suite": "base", "service": services}, Suite))
    assert found == [
        ("service[0].name", "Expected `str`, got `int`"),
        ("service[1]", "Object missing required field `name`"),
        ("service[2]", "Object missing required field `command`"),
    ]


def test_an_unknown_key_is_told_with_those_there_are() -> None:
    [ports] = mistakes({"name": "w", "shared-directory": "/x", "ports": {"consol": 1}}, LogicalHost)
    assert ports.key == "ports"
    assert ports.problem == "Object contains unknown field `consol`; expected console, event-service"
    [disk] = mistakes(
        {"name": "w", "shared-directory": "/x", "disk": {"device": "d", "mount-point": "/", "x": 1}}, LogicalHost
    )
    assert disk.problem.endswith("; expected device, mount-point, options, type")


def test_a_document_that_is_no_table_at_all_is_one_mistake() -> None:
    assert keys([]) == ["the file"]


def test_there_is_an_end_to_them() -> None:
    assert len(keys({"suite": "base", "service": [{"name": 1}] * 200})) <= MOST


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "suite", "service", "command", "after", "x", "a.b"]), inner)
    ),
    max_leaves=12,
)


@given(plain)
def test_whatever_stands_there_there_is_a_mistake_exactly_when_it_does_not_fit(document: Any) -> None:
    before = copy.deepcopy(document)
    try:
        msgspec.convert(document, Suite)
    except msgspec.ValidationError:
        fits = False
    else:
        fits = True
    assert (keys(document) == []) == fits
    assert document == before
