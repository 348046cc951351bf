"""The legs of a takeover, from marks as the lease, the agent, the database and the event service leave them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.logicalhost import timeline
from bansho.logicalhost.history import Mark, Takeover, takeovers
from bansho.logicalhost.timeline import TITLES, WAITS_FOR

POWER_LOSS = [
    ("base start begins", 104.0),
    ("lease", 105.0),
    ("first event", 105.2),
    ("base started", 105.3),
    ("manager start begins", 105.4),
    ("database open", 106.0),
    ("manager started", 107.0),
    ("node fenced", 103.0),
    ("disk mounted", 103.5),
    ("address up", 104.0),
]
"""In the order in which they are written: what was before the lease is found out afterwards."""


def taken(marks: list[tuple[str, float]], **facts: object) -> Takeover:
    facts = {"epoch": 2, "previous": "n1", **facts}
    found = takeovers(Mark(at, "n2", leg, dict(facts) if leg == "lease" else {}) for leg, at in marks)
    return found[0]


def test_a_power_loss_leg_by_leg() -> None:
    line = timeline.timeline(taken(POWER_LOSS, silent_since=100.0))
    assert line.origin == 100.0
    assert line.seconds == 7.0
    assert [(leg.name, round(leg.took, 3), round(leg.reached, 3)) for leg in line.legs] == [
        ("node fenced", 3.0, 3.0),
        ("disk mounted", 0.5, 3.5),
        ("address up", 0.5, 4.0),
        ("lease", 1.0, 5.0),
        ("first event", 0.2, 5.2),
        ("base started", 0.3, 5.3),
        ("database open", 0.7, 6.0),
        ("manager started", 1.0, 7.0),
    ]


def test_without_a_sign_of_life_it_begins_with_the_first_mark() -> None:
    line = timeline.timeline(taken(POWER_LOSS))
    assert (line.origin, line.seconds) == (103.0, 4.0)
    assert line.legs[0].took == 0.0


@pytest.mark.parametrize("silent_since", [105.1, 105.0 - 601, "yesterday", None])
def test_a_sign_of_life_that_cannot_be_the_takeovers_is_left_out(silent_since: object) -> None:
    assert timeline.timeline(taken(POWER_LOSS, silent_since=silent_since)).origin == 103.0


def test_a_stopped_host_that_is_started_hours_later_took_no_hours() -> None:
    assert timeline.timeline(taken([("lease", 9000.0), ("manager started", 9003.0)], silent_since=0.0)).seconds == 3.0


def test_what_a_restart_on_the_same_node_marks_later_is_not_of_the_takeover() -> None:
    later = [("base started", 900.0), ("database open", 901.0), ("manager started", 902.0), ("first event", 903.0)]
    assert timeline.timeline(taken(POWER_LOSS + later)) == timeline.timeline(taken(POWER_LOSS))
    quiet = [mark for mark in POWER_LOSS if mark[0] != "first event"]
    line = timeline.timeline(taken([*quiet, ("first event", 105.0 + 601)]))
    assert "first event" not in {leg.name for leg in line.legs}


def test_a_first_event_that_comes_after_manager_is_a_leg() -> None:
    marks = [mark for mark in POWER_LOSS if mark[0] != "first event"]
    line = timeline.timeline(taken([*marks, ("first event", 150.0)]))
    assert {leg.name: leg.reached for leg in line.legs}["first event"] == 47.0
    assert line.seconds == 4.0


def test_a_manager_that_never_ran_has_no_duration() -> None:
    assert timeline.timeline(taken(POWER_LOSS[:4])).seconds is None


def test_every_leg_waits_for_one_that_is_there_and_has_a_title() -> None:
    assert set(TITLES) == set(WAITS_FOR)
    assert set(WAITS_FOR.values()) <= {"", *WAITS_FOR}


legs = st.sampled_from([*WAITS_FOR, "base start begins", "anything"])


@given(st.lists(st.tuples(legs, st.floats(0, 2000))), st.one_of(st.none(), st.floats(0, 2000)))
def test_no_leg_takes_less_than_nothing(marks: list[tuple[str, float]], silent_since: float | None) -> None:
    line = timeline.timeline(taken([("lease", 1000.0), *marks], silent_since=silent_since))
    names = [leg.name for leg in line.legs]
    assert names == [name for name in WAITS_FOR if name in names]
    assert all(0 <= leg.began <= leg.reached for leg in line.legs)
