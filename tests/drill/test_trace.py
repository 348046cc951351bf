"""The timeline of a round, from its evidence."""

from tests.drill.test_audits import GOOD, SUITE, sample

from bansho.drill.trace import timeline


def test_everything_that_was_seen_is_in_order_and_counted_from_the_fault() -> None:
    events = timeline(GOOD)
    assert [event.at for event in events] == sorted(event.at for event in events)
    told = {(event.at, event.node): event.what for event in events}
    assert told[0.0, "n1"] == "FAULT: power-loss"
    assert told[3.0, "n1"] == "power: reboot by n3, asked for"
    assert told[4.5, "n2"] == "took the disk"
    assert told[5.0, "n2"] == "lease"
    assert told[8.0, "n2"] == "all running again"
    assert "lease" not in [event.what for event in events if event.node == "n1"]  # of a round before


def test_of_equal_answers_in_a_row_the_first_is_told() -> None:
    samples = [sample(value, SUITE, SUITE, at=at) for at, value in ((11, 0), (12, 0), (13, 12), (14, 12), (15, 0))]
    told = [(event.at, event.what) for event in timeline(GOOD._replace(samples=samples)) if "status" in event.what]
    assert told == [(1.0, "base status 0"), (3.0, "base status 12"), (5.0, "base status 0")]
