"""Sessions, the throttle, and where a log-in may lead to: decisions without a server."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.manager import sessions
from bansho.manager.pages import safe_target
from bansho.manager.sessions import Session, Sessions
from bansho.manager.throttle import LONGEST, Throttle


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def written(clock: Clock) -> Sessions:
    return Sessions(b"k" * 32, clock)


def test_a_session_comes_back_as_it_was_written(written: Sessions) -> None:
    session = written.begin("ann", 7)
    assert written.read(written.write(session)) == session


def test_another_console_with_the_same_key_reads_it(written: Sessions, clock: Clock) -> None:
    session = written.begin("ann", 7)
    assert Sessions(b"k" * 32, clock).read(written.write(session)) == session
    assert Sessions(b"x" * 32, clock).read(written.write(session)) is None


@given(st.data())
def test_a_changed_cookie_is_none(data: st.DataObject) -> None:
    written = Sessions(b"k" * 32, Clock())
    cookie = written.write(Session("ann", 7, Clock().now, Clock().now, "nonce"))
    at = data.draw(st.integers(0, len(cookie) - 1))
    other = data.draw(st.characters(codec="ascii", exclude_characters=cookie[at]))
    read = written.read(cookie[:at] + other + cookie[at + 1 :])
    # The last character of base64 has bits that mean nothing: such a change is none.
    assert read is None or read == written.read(cookie)


@given(st.text())
def test_what_is_no_cookie_is_none(text: str) -> None:
    assert Sessions(b"k" * 32).read(text) is None


def test_a_session_ends_when_it_is_idle(written: Sessions, clock: Clock) -> None:
    cookie = written.write(written.begin("ann", 7))
    clock.now += sessions.IDLE - 1
    assert written.read(cookie)
    clock.now += 1
    assert written.read(cookie) is None


def test_a_session_that_is_used_goes_on_until_its_absolute_end(written: Sessions, clock: Clock) -> None:
    session, end = written.begin("ann", 7), clock.now + sessions.ABSOLUTE
    while clock.now < end - sessions.IDLE / 2:
        clock.now += sessions.IDLE / 2
        read = written.read(written.write(session))
        if clock.now >= end:
            assert read is None
            return
        assert read is not None
        session = written.renewed(read) or read
    clock.now = end
    assert written.read(written.write(session)) is None


def test_a_young_cookie_is_not_written_anew(written: Sessions, clock: Clock) -> None:
    session = written.begin("ann", 7)
    assert written.renewed(session) is None
    clock.now += sessions.RENEWAL
    assert written.renewed(session) == Session("ann", 7, session.began, clock.now, session.nonce)


def test_a_token_belongs_to_one_nonce(written: Sessions) -> None:
    token = written.token("one")
    assert written.is_token("one", token)
    assert not written.is_token("two", token)
    assert not written.is_token("one", token[:-2])
    assert not written.is_token("one", "")
    assert not written.is_token("one", "ü")


def test_a_few_tries_are_free_and_then_pauses_double(clock: Clock) -> None:
    throttle = Throttle(free=3, clock=clock)
    pauses = []
    for _ in range(6):
        throttle.count("place")
        pauses.append(throttle.pause("place"))
    assert pauses == [0, 0, 1, 2, 4, 8]
    assert throttle.pause("elsewhere") == 0


def test_a_pause_passes_and_what_is_old_is_forgotten(clock: Clock) -> None:
    throttle = Throttle(free=1, clock=clock)
    for _ in range(4):
        throttle.count("place")
    clock.now += 8
    assert throttle.pause("place") == 0
    clock.now += LONGEST + 1
    throttle.count("place")
    assert throttle.pause("place") == 1


def test_a_pause_has_an_end(clock: Clock) -> None:
    throttle = Throttle(free=1, clock=clock)
    for _ in range(5000):
        throttle.count("place")
    assert throttle.pause("place") == LONGEST


def test_memory_is_bounded_and_the_latest_is_kept(clock: Clock) -> None:
    throttle = Throttle(free=1, kept=10, clock=clock)
    for number in range(1000):
        throttle.count(number)
    assert len(throttle) == 10
    assert throttle.pause(999) == 1


def test_a_success_is_forgiven_and_forgotten(clock: Clock) -> None:
    throttle = Throttle(free=2, clock=clock)
    throttle.count("address")
    throttle.count("address")
    throttle.forgive("address")
    assert throttle.pause("address") == 0
    throttle.count("address")
    assert throttle.pause("address") == 1
    throttle.forget("address")
    assert throttle.pause("address") == 0


@pytest.mark.parametrize("target", ["/", "/host", "/?severity=Error&text=a%20b", "/events/7"])
def test_an_own_path_is_kept(target: str) -> None:
    assert safe_target(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "host",
        "/é",
        "/a b",
    ],
)
def test_what_may_lead_away_becomes_the_list(target: str) -> None:
    assert safe_target(target) == "/"


@given(st.text(alphabet=st.sampled_from("/\\ab:?#@.%\t\n\r e")))
def test_no_target_leaves_the_console(target: str) -> None:
    # As a browser reads it: it drops tabs and line ends, and turns backslashes.
    seen = safe_target(target).replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")
    assert urlsplit(urljoin("http://console.example/login", seen)).netloc == "console.example"
