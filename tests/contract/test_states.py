"""The value of 3.2 for every combination of states that up to four services can be in."""

from collections.abc import Iterator
from itertools import combinations_with_replacement

import pytest

from bansho.contract import operation
from bansho.contract.states import LIVING, NOT_RUNNING, UNDER_WAY, ServiceState, SuiteAim, suite_value

S = ServiceState


def vectors() -> Iterator[tuple[ServiceState, ...]]:
    for size in range(5):
        yield from combinations_with_replacement(S, size)


VECTORS = list(vectors())


def test_zero_exactly_when_every_required_service_is_ready() -> None:
    for states in VECTORS:
        value = suite_value(SuiteAim.UP, states)
        assert (value == operation.ALL_RUNNING) == all(state is S.READY for state in states), states


def test_partly_stopped_as_soon_as_one_is_down_for_good() -> None:
    for states in VECTORS:
        expected = any(state in NOT_RUNNING for state in states)
        assert (suite_value(SuiteAim.UP, states) == operation.PARTLY_STOPPED) == expected, states


def test_retry_only_while_a_limit_bounds_it() -> None:
    for states in VECTORS:
        if suite_value(SuiteAim.UP, states) == operation.RETRY:
            assert any(state in UNDER_WAY for state in states)
            assert not any(state in NOT_RUNNING for state in states)


def test_a_stop_is_retry_until_something_outlives_its_limit() -> None:
    for states in VECTORS:
        expected = operation.PARTLY_STOPPED if S.OVERDUE in states else operation.RETRY
        assert suite_value(SuiteAim.DOWN, states) == expected, states


@pytest.mark.parametrize("aim", SuiteAim)
def test_without_the_directory_nothing_else_counts(aim: SuiteAim) -> None:
    values = {suite_value(aim, states, directory_available=False) for states in VECTORS}
    assert values == {operation.UNRECOVERABLE}


@pytest.mark.parametrize("aim", SuiteAim)
def test_a_living_process_manager_never_says_all_stopped(aim: SuiteAim) -> None:
    assert operation.ALL_STOPPED not in {suite_value(aim, states) for states in VECTORS}


def test_the_order_of_services_does_not_matter() -> None:
    for states in VECTORS:
        assert suite_value(SuiteAim.UP, states) == suite_value(SuiteAim.UP, reversed(states))


def test_each_state_belongs_where_it_should() -> None:
    assert UNDER_WAY.isdisjoint(NOT_RUNNING)
    assert UNDER_WAY | NOT_RUNNING | {S.READY} == set(S)
    assert set(S) - LIVING == {S.WAITING, S.STOPPED, S.FAILED}
