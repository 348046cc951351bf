"""Who held what, from a list of changes."""

from hypothesis import given
from hypothesis import strategies as st

from bansho.lab.watch import Change, What, overlaps

NODES = ("n1", "n2", "n3")


def change(node: str, what: What, held: bool) -> Change:
    return Change(0.0, 0.0, node, what, held)


def test_a_clean_handover_has_no_overlap() -> None:
    changes = [change("n1", "disk", True), change("n1", "disk", False), change("n2", "disk", True)]
    assert overlaps(changes) == []


def test_the_second_owner_is_named() -> None:
    second = change("n2", "disk", True)
    assert overlaps([change("n1", "disk", True), second, change("n1", "disk", False)]) == [second]


def test_disk_and_address_on_two_nodes_are_no_overlap() -> None:
    assert overlaps([change("n1", "disk", True), change("n2", "address", True)]) == []


@given(st.lists(st.tuples(st.sampled_from(NODES), st.booleans()), max_size=30))
def test_an_overlap_is_found_exactly_when_two_hold_it_at_once(steps: list[tuple[str, bool]]) -> None:
    holding: dict[str, bool] = {}
    doubled = 0
    for node, held in steps:
        holding[node] = held
        doubled += held and sum(holding.values()) > 1
    assert len(overlaps(change(node, "disk", held) for node, held in steps)) == doubled
