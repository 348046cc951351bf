"""The legs of a takeover from what was seen."""

from bansho.drill import legs, takeover
from bansho.logicalhost import timeline
from bansho.logicalhost.history import Mark

REACHED = {"detected": 13.0, "fenced": 13.5, "disk": 13.7, "address": 13.9, "lease": 14.5, "base": 15.0}


def test_each_leg_is_counted_from_what_it_waited_for() -> None:
    found = {leg.name: leg for leg in legs.legs(10.0, {**REACHED, "manager": 17.0, "first event": 15.5})}
    assert (found["detected"].reached, found["detected"].took) == (3.0, 3.0)
    assert (found["lease"].reached, found["lease"].took) == (4.5, 14.5 - 13.9)
    assert found["first event"].took == 1.0
    assert found["manager"].took == 2.0  # the database's leg is not known: counted from Base


def test_what_was_not_reached_is_named() -> None:
    assert legs.missing(REACHED) == ["first event", "database", "manager"]


def test_a_leg_before_its_time_is_named() -> None:
    assert legs.out_of_order(REACHED) == []
    assert legs.out_of_order({**REACHED, "lease": 13.8}) == ["lease was reached before address"]


def test_marks_of_an_earlier_takeover_do_not_count() -> None:
    marks = [Mark(5.0, "n1", "lease", {}), Mark(14.5, "n2", "lease", {}), Mark(15.0, "n2", "base started", {})]
    assert legs.from_marks(marks, since=10.0) == {"lease": 14.5, "base": 15.0}


def test_the_first_event_that_the_successor_acknowledged_is_a_leg_and_what_the_victim_marked_is_none() -> None:
    marks = [
        Mark(11.0, "n1", "first event", {}),
        Mark(14.5, "n2", "lease", {}),
        Mark(15.5, "n2", timeline.FIRST_EVENT, {}),
    ]
    assert takeover.reached([], ["n1", "n2"], marks, "n1", 10.0, []) == {"lease": 14.5, "first event": 15.5}


def test_every_leg_that_the_takeover_history_marks_is_known() -> None:
    marked = {timeline.LEASE, timeline.BASE, timeline.DATABASE, timeline.MANAGER, timeline.FIRST_EVENT}
    assert set(legs.MARKS) == marked
    assert set(legs.MARKS.values()) <= set(legs.WAITS_FOR)
