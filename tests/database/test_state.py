"""The value of 3.3 for everything that can be observed."""

import itertools

import pytest

from bansho.contract import imdatabase
from bansho.contract.verdicts import Verdict
from bansho.database.state import STOPPED_NORMALLY, STOPPED_OTHERWISE, Answer, Facts, Phase, classify

ALL = [
    Facts(set_up, alive, status, answer, phase, control)
    for set_up, alive, status, answer, phase, control in itertools.product(
        (False, True),
        (False, True),
        ("", "starting", "ready", "stopping"),
        Answer,
        (None, *Phase),
        ("", *STOPPED_NORMALLY, *STOPPED_OTHERWISE, "something new"),
    )
]


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        (Facts(set_up=False), 20),
        (Facts(set_up=True, postmaster=True, answer=Answer.ACCEPTING, controller=Phase.RUNNING), 0),
        (Facts(set_up=True, postmaster=True, answer=Answer.ACCEPTING), 0),
        (Facts(set_up=True, postmaster=True, answer=Answer.REJECTING), 4),
        (Facts(set_up=True, postmaster=True, answer=Answer.NOBODY, postmaster_status="starting"), 4),
        (Facts(set_up=True, postmaster=True, answer=Answer.NOBODY, postmaster_status="stopping"), 4),
        (Facts(set_up=True, postmaster=True, answer=Answer.NOBODY, postmaster_status="ready"), 1),
        (Facts(set_up=True, postmaster=True, answer=Answer.SILENT), 1),
        (Facts(set_up=True, postmaster=True, answer=Answer.WITHOUT_DATABASE), 20),
        (Facts(set_up=True, controller=Phase.STARTING), 4),
        (Facts(set_up=True, controller=Phase.STOPPING), 4),
        (Facts(set_up=True, controller=Phase.RUNNING), 16),
        (Facts(set_up=True, control="shut down"), 12),
        (Facts(set_up=True, control="shut down in recovery"), 12),
        (Facts(set_up=True, control="in production"), 8),
        (Facts(set_up=True, control="in crash recovery"), 8),
        (Facts(set_up=True, control="in archive recovery"), 8),
        (Facts(set_up=True, control="starting up"), 8),
        (Facts(set_up=True, control="shutting down"), 8),
        (Facts(set_up=True, control="something new"), 1),
        (Facts(set_up=True), 1),
    ],
)
def test_the_table(facts: Facts, value: int) -> None:
    assert classify(facts).value == value


def test_what_holds_for_all_facts() -> None:
    for facts in ALL:
        check(facts)


def check(facts: Facts) -> None:
    value, reason = classify(facts)
    verdict = imdatabase.TABLE[value].verdict
    assert reason
    assert (value == 0) == (facts.set_up and facts.postmaster and facts.answer is Answer.ACCEPTING)
    if facts.postmaster and facts.set_up and facts.answer is not Answer.WITHOUT_DATABASE:
        assert verdict is not Verdict.FAILOVER, "a living postmaster is no reason to fail over at once"
    if facts.set_up and not facts.postmaster and facts.controller is None:
        assert verdict is not Verdict.HEALTHY
        assert value in (8, 12, 1)
