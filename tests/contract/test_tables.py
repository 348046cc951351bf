"""Every value of every table, as CONTRACT.md gives it."""

from itertools import product

import pytest

from bansho.contract import eventservice, imdatabase, operation, termination
from bansho.contract.verdicts import TIMED_OUT, Ended, Row, Table, Verdict, judge, table

GIVEN = {
    "3.2": (
        operation.TABLE,
        {
            0: Verdict.HEALTHY,
            1: Verdict.FAILURE,
            4: Verdict.FAILURE,
            8: Verdict.NOT_RUNNING,
            12: Verdict.RETRY,
        },
    ),
    "3.3": (
        imdatabase.TABLE,
        {
            0: Verdict.HEALTHY,
            1: Verdict.RETRY,
            4: Verdict.RETRY,
            8: Verdict.FAILOVER,
            12: Verdict.FAILOVER,
            16: Verdict.FAILOVER,
            20: Verdict.FAILOVER,
        },
    ),
    "jevstat": (
        eventservice.TABLE,
        {
            0: Verdict.HEALTHY,
            1: Verdict.FAILURE,
            4: Verdict.FAILURE,
            8: Verdict.NOT_RUNNING,
            12: Verdict.FAILURE,
        },
    ),
}


@pytest.mark.parametrize(("rows", "given"), GIVEN.values(), ids=GIVEN)
def test_the_values_and_verdicts_are_the_given_ones(rows: Table, given: dict[int, Verdict]) -> None:
    assert {value: row.verdict for value, row in rows.items()} == given
    assert all(row.value == value and row.meaning and row.when for value, row in rows.items())


@pytest.mark.parametrize(("rows", "given"), GIVEN.values(), ids=GIVEN)
def test_every_possible_end_of_a_command_is_judged(rows: Table, given: dict[int, Verdict]) -> None:
    for value in range(256):
        assert judge(rows, Ended(value)) is given.get(value, Verdict.UNKNOWN_VALUE)
    for signal, reported in product(range(1, 65), (None, 0)):
        assert judge(rows, Ended(reported, signal)) is Verdict.KILLED
    assert judge(rows, TIMED_OUT) is Verdict.TIMED_OUT


def test_the_same_number_means_opposite_things_in_two_tables() -> None:
    assert judge(operation.TABLE, Ended(12)) is Verdict.RETRY
    assert judge(imdatabase.TABLE, Ended(12)) is Verdict.FAILOVER
    assert judge(operation.TABLE, Ended(4)) is Verdict.FAILURE
    assert judge(imdatabase.TABLE, Ended(4)) is Verdict.RETRY
    assert judge(operation.TABLE, Ended(1)) is Verdict.FAILURE
    assert judge(imdatabase.TABLE, Ended(1)) is Verdict.RETRY


def test_the_named_constants() -> None:
    assert (operation.ALL_RUNNING, operation.UNRECOVERABLE, operation.PARTLY_STOPPED) == (0, 1, 4)
    assert (operation.ALL_STOPPED, operation.RETRY) == (8, 12)
    assert (termination.NORMAL, termination.ARGUMENT_ERROR) == (0, 1)
    assert (termination.NOTHING_LEFT, termination.SOMETHING_LEFT) == (0, 1)
    assert (eventservice.REGISTERED, eventservice.NOT_REGISTERED) == (0, 255)


def test_a_value_cannot_stand_twice() -> None:
    row = Row(0, "running", Verdict.HEALTHY, "always")
    with pytest.raises(ValueError, match="twice"):
        table(row, row)
