"""Which changes of a service are process events, over every walk through the states; and what the event says."""

from hypothesis import given
from hypothesis import strategies as st

from bansho.contract.states import LIVING, ServiceState
from bansho.events.event import MESSAGE_BYTES, Event
from bansho.process import processevent
from bansho.process.processevent import ENDED, LATE, RESTARTED, Facts, Kind, Past

S = ServiceState
FACTS = Facts("watch", "base", "n1", "x", 4711, "bansho", "was killed by signal 9", 1000.5, 1010.5, -9, 60.0, 1)


def kinds(*states: ServiceState) -> list[Kind]:
    """The events of a service that goes through `states`."""
    past, found = Past(), list[Kind]()
    for state in states:
        past, kind = processevent.after(past, state)
        found += [kind] if kind else []
    return found


def test_each_event_from_the_walk_that_makes_it() -> None:
    assert kinds(S.STARTING, S.READY, S.FAILED) == [ENDED]
    assert kinds(S.STARTING, S.OVERDUE, S.READY) == [LATE]
    assert kinds(S.STARTING, S.READY, S.FAILED, S.WAITING, S.STARTING, S.READY) == [ENDED, RESTARTED]
    assert kinds(S.STARTING, S.FAILED, S.WAITING, S.STARTING, S.FAILED, S.WAITING, S.STARTING, S.READY) == [
        ENDED,
        ENDED,
        RESTARTED,
    ]


def test_none_for_what_was_asked_for() -> None:
    assert kinds(S.STARTING, S.READY, S.STOPPING, S.STOPPED, S.WAITING, S.STARTING, S.READY) == []
    assert kinds(S.STARTING, S.READY, S.STOPPING, S.OVERDUE) == []  # its stop is late, not its start
    assert kinds(S.STARTING, S.READY, S.FAILED, S.WAITING, S.STOPPED, S.WAITING, S.STARTING, S.READY) == [ENDED]


@given(st.lists(st.sampled_from(S), max_size=30))
def test_one_event_for_each_end_and_none_for_a_state_that_stays(states: list[ServiceState]) -> None:
    before = [S.WAITING, *states]
    ends = sum(old in LIVING and new is S.FAILED for old, new in zip(before, states, strict=False))
    assert kinds(*states).count(ENDED) == ends
    assert kinds(*(state for state in states for _ in range(2))) == kinds(*states)


@given(st.text(max_size=200), st.sampled_from([ENDED, LATE, RESTARTED]), st.integers(-64, 255))
def test_whatever_a_service_reports_is_an_event_that_base_takes(status: str, kind: Kind, result: int) -> None:
    facts = FACTS._replace(status=status.replace("\0", " "), result=result)
    message = processevent.line(kind, facts)
    attributes = processevent.attributes(kind, facts)
    event = Event(id=kind.id, severity=kind.severity, message=message, attributes=attributes)
    assert event.id == kind.id
    assert len(message.encode()) <= MESSAGE_BYTES


def test_what_an_abnormal_end_says() -> None:
    assert processevent.line(ENDED, FACTS) == (
        "BSHO2112-E service x of base on watch ended abnormally: was killed by signal 9"
    )
    assert processevent.attributes(ENDED, FACTS) == {
        "PRODUCT_NAME": "/BANSHO/BASE/PROCESS_MANAGER",
        "OBJECT_TYPE": "SERVICE",
        "OBJECT_NAME": "x",
        "OBJECT_ID": "4711",
        "ROOT_OBJECT_TYPE": "LOGICAL_HOST",
        "ROOT_OBJECT_NAME": "watch",
        "OCCURRENCE": "ABNORMAL_END",
        "USER_NAME": "bansho",
        "START_TIME": "1000",
        "END_TIME": "1010",
        "RESULT_CODE": "137",
        "NODE": "n1",
    }
    assert processevent.attributes(ENDED, FACTS._replace(result=3))["RESULT_CODE"] == "3"


def test_one_that_could_not_be_launched_has_neither_process_nor_result() -> None:
    never = processevent.attributes(ENDED, FACTS._replace(pid=None, result=None))
    assert {"OBJECT_ID", "RESULT_CODE"}.isdisjoint(never)
    assert {"RESULT_CODE", "END_TIME"}.isdisjoint(processevent.attributes(LATE, FACTS))
