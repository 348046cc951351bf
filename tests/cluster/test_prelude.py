"""What Pacemaker remembers of a takeover before the lease."""

from xml.etree import ElementTree

import pytest
from tests.cluster.crm_mon import document

from bansho.cluster.pacemaker import prelude
from bansho.logicalhost.history import Mark

FENCED_IN = 1795348543.0
"""The second that the document names for the end of the fencing."""


def marks(called: float = FENCED_IN + 1.737, lease: float = FENCED_IN + 2.8, previous: str | None = "n2") -> list[Mark]:
    return [
        Mark(FENCED_IN - 1000, "n2", "base start begins", {}),
        Mark(FENCED_IN - 999, "n2", "lease", {"epoch": 3, "previous": "n1"}),
        Mark(called, "n3", "base start begins", {}),
        Mark(lease, "n3", "lease", {"epoch": 4, "previous": previous}),
        Mark(lease + 1, "n3", "base started", {}),
    ]


def found(given: list[Mark], xml: str = "") -> dict[str, float]:
    status = ElementTree.fromstring(xml or document())
    return {leg: round(at - FENCED_IN, 3) for leg, at in prelude.missing(status, "watch", given)}


def test_fencing_disk_and_address_before_the_lease() -> None:
    assert found(marks()) == {"node fenced": 1.0, "disk mounted": 1.628, "address up": 1.737}


def test_a_fencing_was_over_when_the_disk_was_begun() -> None:
    assert found(marks(called=FENCED_IN + 0.5)) == {"node fenced": 0.233, "disk mounted": 0.391, "address up": 0.5}


@pytest.mark.parametrize(
    "given",
    [
        marks(previous="n1"),
        marks(previous=None),
        marks(called=FENCED_IN + 9000, lease=FENCED_IN + 9001),
        marks(called=FENCED_IN - 9, lease=FENCED_IN - 8),
    ],
    ids=["another node's", "nobody's", "of long ago", "of later"],
)
def test_a_fencing_that_is_not_of_this_takeover_is_left_out(given: list[Mark]) -> None:
    assert set(found(given)) == {"disk mounted", "address up"}


def test_nothing_is_told_twice() -> None:
    assert found([*marks(), Mark(FENCED_IN + 1.628, "n3", "disk mounted", {})]) == {}


@pytest.mark.parametrize(
    ("given", "xml"),
    [
        ([], ""),
        (marks()[3:], ""),
        (marks(called=FENCED_IN - 700, lease=FENCED_IN), ""),
        ([marks(called=FENCED_IN - 9)[2], marks()[1]._replace(at=FENCED_IN - 8), *marks()[3:]], ""),
        (marks(), document().replace("158ms", "soon")),
        (marks(), document().replace('name="n3"><resource_history', 'name="n1"><resource_history')),
    ],
    ids=[
        "no takeover",
        "no call of the agent",
        "a call of long ago",
        "the call of a takeover before",
        "no time",
        "no history of the node",
    ],
)
def test_what_pacemaker_does_not_know_is_not_made_up(given: list[Mark], xml: str) -> None:
    assert found(given, xml) == {}
