"""Every end of a monitoring command, in every context, against what CONTRACT 3.2, 3.3 and 3.5 say."""

from itertools import product

import pytest

from bansho.cluster.agent.decide import Context, Outcome, decide, describe, missing_proof, without_asking
from bansho.contract import imdatabase, operation
from bansho.contract.verdicts import TIMED_OUT, Ended, Table

VALUES = [Ended(value=value) for value in range(256)]
SIGNALS = [Ended(signal=number) for number in range(1, 65)]
CONTEXTS = [Context(*each) for each in product((False, True), (False, True), (0, 1, 99))]
TABLES = {"operation": operation.TABLE, "imdatabase": imdatabase.TABLE}

# What the two tables say, written out once more on purpose: value -> outcome with tries left, and without.
AGAIN = (Outcome.ASK_AGAIN, Outcome.FAILED)
SAID: dict[str, dict[int, Outcome | tuple[Outcome, Outcome]]] = {
    "operation": {0: Outcome.SUCCESS, 1: Outcome.FAILED, 4: Outcome.FAILED, 8: Outcome.NOT_RUNNING, 12: AGAIN},
    "imdatabase": {
        0: Outcome.SUCCESS,
        1: AGAIN,
        4: AGAIN,
        8: Outcome.FAILED,
        12: Outcome.FAILED,
        16: Outcome.FAILED,
        20: Outcome.FAILED,
    },
}


def expected(name: str, ended: Ended, context: Context) -> Outcome:
    if context.probe and not context.online:
        return Outcome.NOT_RUNNING
    said = SAID[name].get(-1 if ended.value is None else ended.value, AGAIN)
    return said if isinstance(said, Outcome) else said[0 if context.tries_left else 1]


@pytest.mark.parametrize("name", TABLES)
def test_every_end_in_every_context(name: str) -> None:
    for ended, context in product([*VALUES, *SIGNALS, TIMED_OUT], CONTEXTS):
        assert decide(TABLES[name], ended, context) is expected(name, ended, context), (ended, context)


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_only_zero_is_ever_healthy(rows: Table) -> None:
    online = [context for context in CONTEXTS if context.online]
    for ended, context in product([*VALUES, *SIGNALS, TIMED_OUT], online):
        assert (decide(rows, ended, context) is Outcome.SUCCESS) == (ended.value == 0)


def test_the_same_number_means_opposite_things_to_the_two_commands() -> None:
    online = Context(tries_left=1)
    assert decide(operation.TABLE, Ended(4), online) is Outcome.FAILED
    assert decide(imdatabase.TABLE, Ended(4), online) is Outcome.ASK_AGAIN
    assert decide(operation.TABLE, Ended(12), online) is Outcome.ASK_AGAIN
    assert decide(imdatabase.TABLE, Ended(12), online) is Outcome.FAILED


def test_only_a_probe_without_the_disk_is_answered_without_asking() -> None:
    answered = {context for context in CONTEXTS if without_asking(context)}
    assert answered == {context for context in CONTEXTS if context.probe and not context.online}


def test_a_probe_that_finds_a_damaged_record_beside_its_disk_is_a_failure() -> None:
    assert decide(operation.TABLE, Ended(1), Context(probe=True, online=True)) is Outcome.FAILED


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (Ended(4), "x answered 4: partially stopped"),
        (Ended(77), "x answered 77, which is not a value of its table"),
        (Ended(signal=9), "x was killed by signal 9"),
        (TIMED_OUT, "x did not answer in time"),
    ],
)
def test_an_end_in_words(ended: Ended, words: str) -> None:
    assert describe("x", operation.TABLE, ended) == words


def test_a_commands_own_words_come_before_the_tables() -> None:
    assert describe("x", operation.TABLE, Ended(4), "one failed") == "x answered 4: one failed"


@pytest.mark.parametrize(("stopped", "undone", "held"), list(product((True, False), ("", "a is left"), ([], ["b"]))))
def test_a_stop_is_proven_only_when_nothing_lacks(stopped: bool, undone: str, held: list[str]) -> None:
    missing = missing_proof(stopped, "status answered 4", undone, held)
    assert (not missing) == (stopped and not undone and not held)
    assert ("answered 4" in missing) == (not stopped)
    assert ("a is left" in missing) == bool(undone)
    assert ("held by b" in missing) == bool(held)
