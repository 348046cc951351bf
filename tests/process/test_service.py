"""One service's life, without any process."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from bansho.contract.states import LIVING, ServiceState
from bansho.process import service
from bansho.process.definition import Service
from bansho.process.service import Event, Life, Restarts

S = ServiceState
SERVICE = Service(name="x", command=("x",), start_limit=60.0, stop_limit=10.0, watchdog=5.0)


def live(*events: Event, definition: Service = SERVICE) -> Life:
    """The life after these events, one a second from 100 on."""
    life = Life()
    for now, event in enumerate(events, 100):
        life = service.after(life, event, definition, float(now))
    return life


def test_a_start_within_its_limit() -> None:
    assert live(Event.LAUNCHED) == Life(S.STARTING, 100.0, 160.0)
    assert live(Event.LAUNCHED, Event.READY) == Life(S.READY, 101.0, 106.0)


def test_without_a_watchdog_ready_has_no_limit() -> None:
    quiet = Service(name="x", command=("x",), start_limit=60.0)
    assert live(Event.LAUNCHED, Event.READY, definition=quiet).limit is None


def test_an_overdue_service_is_left_alone_and_may_still_arrive() -> None:
    assert live(Event.LAUNCHED, Event.LIMIT_PASSED) == Life(S.OVERDUE, 101.0, None)
    assert live(Event.LAUNCHED, Event.LIMIT_PASSED, Event.READY).state is S.READY


def test_a_beat_moves_the_limit_and_nothing_else() -> None:
    ready = live(Event.LAUNCHED, Event.READY)
    assert live(Event.LAUNCHED, Event.READY, Event.BEAT) == ready._replace(limit=107.0)


def test_after_a_pause_it_has_what_was_left_of_its_limit() -> None:
    ready = live(Event.LAUNCHED, Event.READY)  # at 101: until 106
    assert service.spared(ready, SERVICE, 200.0, 98.0) == ready._replace(limit=204.0)
    assert service.spared(ready, SERVICE, 200.0, 99.5) == ready._replace(limit=205.0), "never more than the whole"
    heard_again = ready._replace(limit=205.0)
    assert service.spared(heard_again, SERVICE, 200.0, 98.0) == heard_again


def test_what_has_no_limit_is_spared_none() -> None:
    for life in (live(), live(Event.LAUNCHED, Event.READY, Event.LIMIT_PASSED)):
        assert service.spared(life, SERVICE, 200.0, 98.0) == life


def test_a_hung_service_is_ready_again_when_it_beats() -> None:
    assert live(Event.LAUNCHED, Event.READY, Event.LIMIT_PASSED) == Life(S.HUNG, 102.0, None)
    assert live(Event.LAUNCHED, Event.READY, Event.LIMIT_PASSED, Event.BEAT) == Life(S.READY, 103.0, 108.0)


def test_a_beat_before_ready_means_nothing() -> None:
    assert live(Event.LAUNCHED, Event.BEAT) == live(Event.LAUNCHED)


def test_an_end_that_was_not_asked_for_is_a_failure() -> None:
    for before in ((), (Event.READY,), (Event.LIMIT_PASSED,), (Event.STOPPING,), (Event.READY, Event.LIMIT_PASSED)):
        assert live(Event.LAUNCHED, *before, Event.ENDED).state is S.FAILED


def test_an_end_that_was_asked_for_is_a_stop() -> None:
    for before in ((), (Event.READY,), (Event.LIMIT_PASSED,), (Event.STOPPING,), (Event.READY, Event.LIMIT_PASSED)):
        stopping = live(Event.LAUNCHED, *before, Event.ASKED_TO_STOP)
        assert (stopping.state, stopping.asked) == (S.STOPPING, True)
        assert live(Event.LAUNCHED, *before, Event.ASKED_TO_STOP, Event.ENDED).state is S.STOPPED


def test_a_stop_has_a_limit_then_a_kill_then_a_limit() -> None:
    asked = (Event.LAUNCHED, Event.READY, Event.ASKED_TO_STOP)
    assert live(*asked).limit == 112.0
    killed = live(*asked, Event.LIMIT_PASSED)
    assert (killed.state, killed.killed, killed.limit) == (S.STOPPING, True, 103.0 + service.KILL_LIMIT)
    given_up = live(*asked, Event.LIMIT_PASSED, Event.LIMIT_PASSED)
    assert (given_up.state, given_up.asked, given_up.limit) == (S.OVERDUE, True, None)
    assert live(*asked, Event.LIMIT_PASSED, Event.LIMIT_PASSED, Event.ENDED).state is S.STOPPED


def test_what_is_not_started_stops_at_once() -> None:
    assert live(Event.ASKED_TO_STOP).state is S.STOPPED
    assert live(Event.LAUNCHED, Event.ENDED, Event.ASKED_TO_STOP).state is S.STOPPED


def test_again_starts_only_what_has_ended() -> None:
    assert live(Event.LAUNCHED, Event.ENDED, Event.AGAIN) == Life(S.WAITING, 102.0)
    assert live(Event.ASKED_TO_STOP, Event.AGAIN) == Life(S.WAITING, 101.0)
    assert live(Event.LAUNCHED, Event.READY, Event.AGAIN).state is S.READY


@given(st.lists(st.sampled_from(Event), max_size=30))
def test_whatever_happens_a_life_makes_sense(events: list[Event]) -> None:
    life = Life()
    for now, event in enumerate(events):
        before, life = life, service.after(life, event, SERVICE, float(now))
        if event is Event.ENDED:
            assert life.state not in LIVING
        if life.state is S.READY and before.state is not S.READY:
            assert event in {Event.READY, Event.BEAT}
        if life.state in {S.STARTING, S.STOPPING}:
            assert life.limit is not None, "what is under way is bounded"
        if before.asked and life.state is not before.state:
            assert life.state in {S.OVERDUE, S.STOPPED, S.WAITING}, "a stop is never taken back"


def test_every_state_and_event_has_an_outcome() -> None:
    for state, event in product(S, Event):
        assert service.after(Life(state), event, SERVICE, 1.0).state in S


def test_restarts_are_counted_and_the_count_begins_anew() -> None:
    often = Service(name="x", command=("x",), restart=1, restart_count=2, restart_reset=60.0)
    once = service.restart(Restarts(0, 100.0), often, 101.0)
    assert once == Restarts(1, 100.0)
    twice = service.restart(once, often, 102.0)
    assert twice == Restarts(2, 100.0)
    assert service.restart(twice, often, 103.0) is None
    assert service.restart(twice, often, 160.0) == Restarts(1, 100.0)
    assert service.restart(Restarts(), SERVICE, 1.0) is None


def test_how_it_ended_is_said() -> None:
    assert service.ending(3) == "ended with status 3"
    assert service.ending(-9) == "was killed by signal 9"
