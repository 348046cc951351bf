import sqlite3
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bansho.base.errors import NoSpace, StoreFailed, StoreHeld, StoreUnusable
from bansho.base.store import Name, Reader, Store, number, rows
from bansho.events import fastpath
from bansho.events.event import LAST_SECOND, Event, as_document, decode_stored, encode
from bansho.events.wire import Page, Registration
from bansho.logicalhost.errors import LeaseLost

servers = st.sampled_from(["web1", 'a "quoted" \\ name', "größe", "127"])
times = st.none() | st.floats(0, LAST_SECOND)
named = st.builds(
    Event,
    source_server=servers,
    source_serial=st.integers(1, 6),
    message=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5),
    occurred_at=times,
)
nameless = st.builds(Event, message=st.just("no name"), occurred_at=times)
groups = st.lists(named | nameless, max_size=8)


def unguarded() -> None:
    """Allows everything."""


def page(reader: Reader, after: int = 0, limit: int = 1000) -> Page:
    return msgspec.json.decode(reader.page(after, limit), type=Page)


class StoreBesideModel(RuleBasedStateMachine):
    """Groups come in, the store is closed or its process dies, and it always holds what the model holds."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="store-")
        self.model: list[Event] = []
        self.names: dict[Name, int] = {}
        self.open()

    def open(self) -> None:
        self.store = Store(Path(self.folder.name) / "events", "watch", unguarded)

    @rule(events=groups)
    def add(self, events: list[Event]) -> None:
        assert self.store.add(events, 5.0) == [self.expected(event) for event in events]

    def expected(self, event: Event) -> Registration:
        name = (event.source_server, event.source_serial)
        if event.source_server is not None and name in self.names:
            return Registration(self.names[name], True)
        self.model.append(event)
        self.names[name] = len(self.model)
        return Registration(len(self.model), False)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.open()

    @invariant()
    def the_same(self) -> None:
        reader = Reader(self.store.path, "watch", 3)
        stored = page(reader).events
        assert [event.serial for event in stored] == list(range(1, len(self.model) + 1))
        assert [event.message for event in stored] == [event.message for event in self.model]
        for kept, sent in zip(stored, self.model, strict=True):
            own = ("watch", kept.serial)
            expected = own if sent.source_server is None else (sent.source_server, sent.source_serial)
            assert (kept.source_server, kept.source_serial) == expected
        state = reader.state()
        assert (state.last, state.count, state.oldest) == (len(stored), len(stored), min(1, len(stored)))
        reader.close()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestStoreBesideModel = StoreBesideModel.TestCase
TestStoreBesideModel.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


@given(groups, st.integers(0, 100))
def test_numbers_go_on_without_a_gap_and_a_name_has_one(events: list[Event], last: int) -> None:
    answers, fresh = number(events, {}, last)
    assert [answer.serial for answer in answers if not answer.duplicate] == list(range(last + 1, last + 1 + len(fresh)))
    by_name: dict[Name, set[int]] = {}
    for event, answer in zip(events, answers, strict=True):
        if event.source_server is not None:
            by_name.setdefault((event.source_server, event.source_serial), set()).add(answer.serial)
    assert all(len(serials) == 1 for serials in by_name.values())


@given(groups, st.integers(1, 100), st.floats(0, LAST_SECOND))
def test_storing_adds_what_the_service_gives_and_changes_nothing_else(
    events: list[Event], first: int, now: float
) -> None:
    for serial, (event, row) in enumerate(zip(events, rows(events, first, now, "watch"), strict=True), first):
        expected = as_document(event) | {"serial": serial, "arrived_at": now}
        if event.occurred_at is None:
            expected["occurred_at"] = now
        if event.source_server is None:
            expected |= {"source_server": "watch", "source_serial": serial}
        stored = as_document(decode_stored(row[3].encode()))
        assert stored == expected
        assert row[:3] == (serial, stored["source_server"], stored["source_serial"])


@given(groups, st.integers(1, 100), st.floats(0, LAST_SECOND))
def test_an_event_read_on_the_fast_path_is_stored_as_the_same(events: list[Event], first: int, now: float) -> None:
    plain = fastpath.decode_many(encode(events))
    for fast, careful in zip(rows(plain, first, now, "watch"), rows(events, first, now, "watch"), strict=True):
        assert fast[:3] == careful[:3]
        assert decode_stored(fast[3].encode()) == decode_stored(careful[3].encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


def test_a_page_is_in_order_and_ends_where_it_was_asked_to(folder: Path) -> None:
    store = Store(folder, "watch", unguarded)
    store.add([Event(message=str(n)) for n in range(1, 2501)], 1.0)
    reader = Reader(store.path, "watch", 0)
    some = page(reader, 1000, 700)
    assert [event.serial for event in some.events] == list(range(1001, 1701))
    assert some.last == 1700
    assert page(reader, 2500) == Page([], 2500)
    reader.close()
    store.close()


def test_events_kept_long_enough_go_as_new_ones_come_and_serials_go_on(folder: Path) -> None:
    store = Store(folder, "watch", unguarded, keep=100.0)
    store.add([Event(message="old")] * 10, 1.0)
    store.add([Event(message="young")] * 10, 50.0)
    reader = Reader(store.path, "watch", 0)
    assert reader.state().oldest == 1
    for serial in range(21, 24):
        assert store.add([Event(message="new")], 101.5) == [Registration(serial, False)]
        assert reader.state().oldest == 1 + 2 * (serial - 20), "two for each"
    for _ in range(10):
        store.add([Event(message="new")], 101.5)
    assert {event.message for event in page(reader).events} == {"young", "new"}
    reader.close()
    store.close()


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 60)), min_size=1, max_size=12), st.integers(1, 90))
@settings(max_examples=50, deadline=None)
def test_nothing_goes_too_early_and_the_newest_never(groups: list[tuple[int, int]], keep: int) -> None:
    """Groups of some events come in, some seconds apart, and the store is closed and opened again in between."""
    with tempfile.TemporaryDirectory(prefix="store-") as place:
        now, arrivals = 0.0, list[float]()
        for size, pause in groups:
            now += pause
            store = Store(Path(place), "watch", unguarded, keep)
            assert [each.serial for each in store.add([Event()] * size, now)] == [
                len(arrivals) + each for each in range(1, size + 1)
            ]
            arrivals += [now] * size
            reader = Reader(store.path, "watch", 0)
            kept = [event.serial for event in page(reader).events]
            assert kept == list(range(kept[0], len(arrivals) + 1)), "the oldest go, and no serial is given twice"
            assert all(arrivals[serial - 1] < now - keep for serial in range(1, kept[0]))
            assert reader.state().count == len(kept)
            reader.close()
            store.close()


def test_two_processes_never_write_one_store(folder: Path) -> None:
    store = Store(folder, "watch", unguarded)
    with pytest.raises(StoreHeld, match=r"BSHO4011-E .*process \d+ has it open"):
        Store(folder, "watch", unguarded)
    store.close()
    Store(folder, "watch", unguarded).close()


def test_after_the_lease_is_lost_nothing_is_written(folder: Path) -> None:
    lost = False

    def guard() -> None:
        if lost:
            raise LeaseLost(path=folder, mine=1, now=2, owner="other")

    store = Store(folder, "watch", guard)
    store.add([Event(message="ours")], 1.0)
    lost = True
    with pytest.raises(LeaseLost):
        store.add([Event(message="too late")], 2.0)
    with pytest.raises(LeaseLost):
        store.check(writing=False)
    reader = Reader(store.path, "watch", 1)
    assert [event.message for event in page(reader).events] == ["ours"]
    reader.close()
    lost = False
    assert store.add([Event(message="again ours")], 3.0) == [Registration(2, False)]
    store.close()


def test_without_space_nothing_of_a_group_is_stored_and_it_goes_on_with_space(folder: Path) -> None:
    store = Store(folder, "watch", unguarded)
    store.add([Event(message="kept")], 1.0)
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages}")
    many = [Event(message="x" * 1000) for _ in range(50)]
    with pytest.raises(NoSpace, match="BSHO4026-E"):
        store.add(many, 2.0)
    with pytest.raises(NoSpace):
        store.check(writing=True)
    store.check(writing=False)
    store._database.execute("PRAGMA max_page_count = 100000")
    store.check(writing=True)
    assert [answer.serial for answer in store.add(many, 3.0)] == list(range(2, 52))
    store.close()


def test_a_store_that_somebody_else_locks_is_a_failure_not_a_loss(folder: Path) -> None:
    store = Store(folder, "watch", unguarded)
    store._database.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match=r"BSHO4027-E .*locked"):
        store.add([Event()], 1.0)
    other.execute("ROLLBACK")
    other.close()
    assert store.add([Event()], 1.0) == [Registration(1, False)]
    store.close()


def test_a_damaged_store_is_said_to_be_that(folder: Path) -> None:
    folder.mkdir()
    (folder / "events.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreUnusable, match=r"BSHO4012-E .*not a database"):
        Store(folder, "watch", unguarded)


def test_a_newer_store_is_left_alone(folder: Path) -> None:
    Store(folder, "watch", unguarded).close()
    database = sqlite3.connect(folder / "events.db")
    database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(StoreUnusable, match="expected version 1 of its tables, found 2"):
        Store(folder, "watch", unguarded)


def test_a_commit_waits_for_the_disk(folder: Path) -> None:
    store = Store(folder, "watch", unguarded)
    assert store._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: sqlite.org/pragma.html
    store.close()


def test_the_store_is_private(folder: Path) -> None:
    store = Store(folder, "watch", unguarded)
    assert folder.stat().st_mode & 0o777 == 0o700
    store.close()
