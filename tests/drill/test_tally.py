"""The set test, against a plain recount; and each kind of fault is seen."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bansho.drill.tally import tally
from bansho.drill.traffic import Acknowledged, Ledger

NUMBERS = st.integers(min_value=1, max_value=20)


def ledger(sent: set[int], acknowledged: set[int]) -> Ledger:
    return Ledger(dict.fromkeys(sent, 0.0), {number: Acknowledged(number, 0.0) for number in acknowledged})


def test_all_well() -> None:
    assert tally(ledger({1, 2}, {1, 2}), [2, 1]).clean


def test_nothing_acknowledged_is_not_well() -> None:
    assert not tally(ledger(set(), set()), []).clean


def test_a_lost_a_doubled_and_an_invented_event_are_seen() -> None:
    assert tally(ledger({1, 2}, {1, 2}), [1]).lost == 1
    assert tally(ledger({1}, {1}), [1, 1]).doubled == 1
    assert tally(ledger({1}, {1}), [1, 7]).invented == 1


def test_an_answer_lost_on_its_way_is_no_fault() -> None:
    found = tally(ledger({1, 2}, {1}), [1, 2])
    assert (found.clean, found.unanswered) == (True, 1)


@given(st.sets(NUMBERS), st.sets(NUMBERS), st.lists(NUMBERS))
def test_the_counts_agree_with_a_recount(sent: set[int], acknowledged: set[int], stored: list[int]) -> None:
    found = tally(ledger(sent, acknowledged), stored)
    assert found.stored == len(stored)
    assert found.lost == sum(number not in stored for number in acknowledged)
    assert found.doubled == sum(stored.count(number) > 1 for number in set(stored))
    assert found.invented == sum(number not in sent for number in set(stored))
    assert Counter(stored).total() == found.stored
