"""What a reload changes, and when."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bansho.process.definition import Service, Suite
from bansho.process.reloading import AT_ONCE, NEXT_START, SERVICE_KEYS, Change, changes, until_next_start

OLD = Service(name="one", command=("a",))
OTHER = {
    "command": ("b",),
    "after": ("two",),
    "start_limit": 7.0,
    "stop_limit": 7.0,
    "watchdog": 7.0,
    "user": "nobody",
    "run_folder": "files",
    "restart": 1,
    "restart_count": 7,
    "restart_interval": 7.0,
    "restart_reset": 7.0,
}
"""A value other than the one in OLD for every key that has one value."""


def suite(*services: Service, **keys: object) -> Suite:
    return msgspec.convert({"suite": "base", **keys, "service": services}, Suite)


def test_the_tables_know_every_key() -> None:
    fields = set(Service.__struct_fields__) - {"name", "enabled"}
    assert set(SERVICE_KEYS) == fields
    assert set(OTHER) == fields - {"environment"}


@given(st.sets(st.sampled_from(sorted(OTHER))), st.booleans())
def test_each_changed_key_is_told_once_and_counts_when_the_table_says(keys: set[str], launched: bool) -> None:
    new = msgspec.structs.replace(OLD, **{key: OTHER[key] for key in keys})
    found = changes(suite(OLD), suite(new), () if launched else {"one"})
    assert [(change.service, change.key) for change in found] == [
        ("one", key.replace("_", "-")) for key in SERVICE_KEYS if key in keys
    ]
    running = until_next_start(OLD, new)
    for change in found:
        key = change.key.replace("-", "_")
        assert change.applied == (SERVICE_KEYS[key] if launched else AT_ONCE)
        now = getattr(new if SERVICE_KEYS[key] == AT_ONCE else OLD, key)
        assert getattr(running, key) == now


@given(st.sets(st.sampled_from(sorted(OTHER))))
def test_what_waits_for_a_start_is_told_again(keys: set[str]) -> None:
    new = msgspec.structs.replace(OLD, **{key: OTHER[key] for key in keys})
    again = changes(suite(until_next_start(OLD, new)), suite(new), ())
    assert {change.key.replace("-", "_") for change in again} == {
        key for key in keys if SERVICE_KEYS[key] == NEXT_START
    }


def test_the_values_of_variables_are_not_shown() -> None:
    new = msgspec.structs.replace(OLD, environment={"PASSWORD": "secret"})
    newer = msgspec.structs.replace(OLD, environment={"PASSWORD": "other", "B": "1"})
    assert changes(suite(OLD), suite(new), ()) == [Change("one", "environment.PASSWORD", "", "", NEXT_START)]
    assert [change.key for change in changes(suite(new), suite(newer), ())] == [
        "environment.B",
        "environment.PASSWORD",
    ]


def test_services_that_come_and_go() -> None:
    off = msgspec.structs.replace(OLD, enabled=False)
    two = msgspec.structs.replace(OLD, name="two")
    found = [str(change) for change in changes(suite(OLD), suite(off, two), ())]
    assert found == ["service one stops", "service two starts"]


def test_the_suites_own_keys() -> None:
    found = changes(suite(OLD), suite(OLD, **{"on-service-failure": "stop-all"}), ())
    assert [str(change) for change in found] == ['the suite: on-service-failure becomes "stop-all", it was "report"']


def test_a_long_value_is_cut() -> None:
    (change,) = changes(suite(OLD), suite(msgspec.structs.replace(OLD, command=("x" * 10_000,))), ())
    assert len(change.after) < 300
