"""Who holds what, and who held what from a list of changes."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.nodes import until

from bansho.lab import Lab
from bansho.lab.errors import NotSeen
from bansho.lab.watch import NOTHING, Change, Look, What, overlaps

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


@pytest.mark.nodes
def test_a_watch_sees_disk_and_address_come_and_go(bare: Lab) -> None:
    node = bare.node("n1")
    with bare.watch() as watch:
        assert watch.owners("disk") == set()
        node.run(["mount", bare.disk, "/mnt"], check=True)
        assert watch.wait_for("disk") == "n1"
        with pytest.raises(NotSeen, match="disk"):
            watch.wait_for("disk", among={"n2"}, limit=0.1)
        node.run(["ip", "address", "add", bare.logical_address, "dev", "eth0"], check=True)
        assert watch.wait_for("address", among={"n1"}) == "n1"
        bare.node("n2").run(["mount", bare.disk, "/mnt"], check=True)
        until(lambda: watch.owners("disk") == {"n1", "n2"})
        with pytest.raises(NotSeen, match="'n1', 'n2'"):
            watch.wait_for("disk", limit=0.1)
        assert [(change.node, change.what) for change in overlaps(watch.changes)] == [("n2", "disk")]
        node.power("off")
        assert watch.wait_for("disk") == "n2"
        assert watch.owners("address") == set()
    assert [(change.what, change.held) for change in watch.changes if change.node == "n1"] == [
        ("disk", True),
        ("address", True),
        ("address", False),
        ("disk", False),
    ]
    assert watch.samples > 10


@pytest.mark.nodes
def test_a_node_that_is_dying_holds_what_it_held_until_it_is_known_to_be_dead(bare: Lab) -> None:
    look = Look(bare, "10.77.0.100")
    dying = os.fork()
    if dying == 0:
        os._exit(0)
    os.waitid(os.P_PID, dying, os.WEXITED | os.WNOWAIT)
    bare.places.pid("n1").write_text(str(dying))
    assert look("n1") is None
    bare.places.pid("n1").unlink()
    assert look("n1") == NOTHING
    os.waitpid(dying, 0)
