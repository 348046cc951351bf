"""The dependency graph, on every shape that hypothesis thinks of."""

from hypothesis import given
from hypothesis import strategies as st

from bansho.contract.states import LIVING, UNDER_WAY, ServiceState
from bansho.process import graph

S = ServiceState
NAMES = [f"s{number}" for number in range(7)]


@st.composite
def dependencies(draw: st.DrawFn) -> dict[str, frozenset[str]]:
    """An acyclic graph: each service depends on some of those before it; listed in any order."""
    size = draw(st.integers(1, len(NAMES)))
    made = {name: frozenset(draw(st.sets(st.sampled_from(NAMES[:size])))) for name in NAMES[:size]}
    acyclic = {name: frozenset(other for other in after if other < name) for name, after in made.items()}
    return {name: acyclic[name] for name in draw(st.permutations(list(acyclic)))}


@st.composite
def situations(draw: st.DrawFn) -> tuple[dict[str, frozenset[str]], dict[str, ServiceState]]:
    made = draw(dependencies())
    return made, {name: draw(st.sampled_from(S)) for name in made}


@given(dependencies())
def test_every_service_starts_once_all_it_waits_for_are_ready(after: dict[str, frozenset[str]]) -> None:
    states = dict.fromkeys(after, S.WAITING)
    started: list[str] = []
    while now := graph.may_start(after, states):
        for name in now:
            assert after[name] <= set(started)
        for name in now:
            states[name] = S.READY
            started.append(name)
    assert sorted(started) == sorted(after)


@given(dependencies())
def test_independent_services_start_side_by_side(after: dict[str, frozenset[str]]) -> None:
    states = dict.fromkeys(after, S.WAITING)
    assert set(graph.may_start(after, states)) == {name for name, needed in after.items() if not needed}


@given(dependencies())
def test_a_stop_goes_the_other_way_round(after: dict[str, frozenset[str]]) -> None:
    states = dict.fromkeys(after, S.READY)
    gone: set[str] = set()
    while now := graph.must_stop(after, states, gone):
        for name in now:
            assert {other for other in after if name in after[other]} <= gone
        for name in now:
            states[name] = S.STOPPED
        gone.update(now)
    assert gone == set(after)


@given(situations(), st.sets(st.sampled_from(NAMES)))
def test_only_what_has_a_process_is_asked_to_stop_and_only_once(
    situation: tuple[dict[str, frozenset[str]], dict[str, ServiceState]], asked: set[str]
) -> None:
    after, states = situation
    for name in graph.must_stop(after, states, asked):
        assert states[name] in LIVING
        assert name not in asked
        assert not any(name in after[other] and states[other] in LIVING for other in after)


@given(situations())
def test_a_stop_never_stalls(situation: tuple[dict[str, frozenset[str]], dict[str, ServiceState]]) -> None:
    after, states = situation
    if any(state in LIVING for state in states.values()):
        assert graph.must_stop(after, states, ())


@given(situations())
def test_a_start_is_settled_exactly_when_nothing_can_arrive_any_more(
    situation: tuple[dict[str, frozenset[str]], dict[str, ServiceState]],
) -> None:
    after, states = situation
    hopeful = dict(states)
    while True:  # what would become of it if everything that is under way and may start went well
        arrived = [name for name in after if hopeful[name] in UNDER_WAY - {S.WAITING}]
        arrived += graph.may_start(after, hopeful)
        if not arrived:
            break
        hopeful |= dict.fromkeys(arrived, S.READY)
    assert graph.settled(after, states) == (hopeful == states)
    stuck = {name for name in after if hopeful[name] is S.WAITING}
    assert set(graph.blocked(after, states)) == stuck


def test_a_circle_is_named() -> None:
    circle = graph.cycle({"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a"}), "d": frozenset()})
    assert circle[0] == circle[-1]
    assert set(circle) == {"a", "b", "c"}
    assert not graph.cycle({"a": frozenset(), "b": frozenset({"a"})})
    assert graph.cycle({"a": frozenset({"a"})}) == ["a", "a"]
