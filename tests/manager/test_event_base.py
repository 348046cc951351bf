"""The event base as a real process, between a real PostgreSQL and Base over real HTTP."""

import os
import random
import signal
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import psycopg
import pytest
from tests.database.imdb import NEWEST, PATIENCE, Imdb, Server, Service, define, running, short_folder, until
from tests.house import House
from tests.manager.base_server import NOON, TOKEN, Base, event

from bansho.database import instance
from bansho.database.connection import conninfo

numbers = count()


class Site(NamedTuple):
    """One logical host with its IM database, its Base, and the event bases that a test starts."""

    server: Server
    base: Base
    database: psycopg.Connection
    """In autocommit mode, listening."""
    started: list[Service]

    def event_base(self, epoch: int | str = 1, **environment: str) -> Service:
        variables = {**self.server.environment, "BANSHO_HOST": "watch", "BANSHO_EPOCH": str(epoch), **environment}
        folder = self.server.house.root / f"service-{next(numbers)}"
        folder.mkdir()
        service = Service(folder, "bansho.manager.event_base", **variables)
        self.started.append(service)
        return service

    def taken(self) -> list[int]:
        """The serials in the IM database, doubles included."""
        return [serial for (serial,) in self.database.execute("select serial from event order by serial").fetchall()]

    def one(self, query: str) -> object:
        row = self.database.execute(query.encode()).fetchone()
        return row and row[0]

    def await_mark(self, serial: int) -> None:
        """Returns once the IM database has told its listeners that it has come to `serial`."""
        for notice in self.database.notifies(timeout=PATIENCE):
            if int(notice.payload) >= serial:
                return
        pytest.fail(f"not taken over up to {serial}: {self.started[-1].said()}")


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Server, Base]]:
    base = Base()
    ports = f"{{ event-service = {base.port} }}"
    with short_folder() as folder, running(folder, NEWEST[0], ports=ports) as server:
        (server.house.shared / "conf" / "event-base.token").write_text(TOKEN + "\n")
        yield server, base


@pytest.fixture
def site(place: tuple[Server, Base]) -> Iterator[Site]:
    server, base = place
    base.events.clear()
    base.says, base.page = None, 1000
    with psycopg.connect(server.conninfo, autocommit=True) as database:
        database.execute("truncate event; update intake set high_water = 0; update ownership set epoch = 0")
        database.execute("listen event")
        site = Site(server, base, database, [])
        yield site
        for service in site.started:
            service.close()


def test_it_takes_over_what_is_there_and_what_comes_in_order_and_tells(site: Site) -> None:
    site.base.add_many(2500)
    with site.base.listening():
        service = site.event_base(epoch=7).ready()
        site.await_mark(2500)
        site.base.add_many(1)
        site.await_mark(2501)
        assert service.stop() == 0
    assert site.taken() == list(range(1, 2502))
    assert site.one("select high_water from intake") == 2501
    assert site.one("select epoch from ownership") == 7
    assert site.one("select node from ownership") == os.uname().nodename


def test_it_goes_on_where_the_last_one_ended(site: Site) -> None:
    site.base.add_many(10)
    for _ in range(3):
        with site.base.listening():
            service = site.event_base().ready()
            site.await_mark(len(site.base.events))
            assert service.stop() == 0
        site.base.add_many(10)
    assert site.taken() == list(range(1, 31))


def test_events_around_midnight_find_their_days(site: Site) -> None:
    hours = 3600
    site.base.add(event(1, arrived_at=NOON + 12 * hours - 1), event(2, arrived_at=NOON + 12 * hours))
    with site.base.listening():
        site.event_base()
        site.await_mark(2)
    rows = site.database.execute("select tableoid::regclass::text from event order by serial").fetchall()
    assert rows == [("event_20261122",), ("event_20261123",)]


def test_days_that_were_kept_long_enough_go_with_the_first_event_of_a_new_one(site: Site) -> None:
    day = 86400
    kept, new = NOON + day, NOON + 366 * day
    site.base.add(event(1, arrived_at=NOON), event(2, arrived_at=kept))
    with site.base.listening():
        site.event_base()
        site.await_mark(2)
        site.base.add(event(3, arrived_at=new))
        until(lambda: site.taken() == [2, 3], "the first day is dropped and the second, 365 days old, is not")
        assert site.one("select high_water from intake") == 3


def test_a_day_that_is_being_read_stays_until_it_is_not_and_holds_nothing_up(site: Site) -> None:
    day = 86400
    site.base.add(event(1, arrived_at=NOON))
    with site.base.listening(), psycopg.connect(site.server.conninfo) as reader:
        site.event_base()
        site.await_mark(1)
        reader.execute("select * from event")
        site.base.add(event(2, arrived_at=NOON + 400 * day))
        site.await_mark(2)
        site.base.add(event(3, arrived_at=NOON + 400 * day))
        site.await_mark(3)
        assert site.taken() == [1, 2, 3]
        reader.commit()
        site.base.add(event(4, arrived_at=NOON + 400 * day))
        until(lambda: site.taken() == [2, 3, 4], "the old day is dropped")


def test_killed_at_any_moment_it_neither_loses_nor_doubles_one(site: Site) -> None:
    moments = random.Random(20261122)
    site.base.page = 50
    site.base.add_many(2000)
    with site.base.listening():
        for kill in range(10):
            service = site.event_base().ready()
            for _ in zip(range(moments.randrange(6)), site.database.notifies(timeout=2), strict=False):
                site.base.add_many(moments.randrange(20))
            service.next(moments.random() / 100)
            service.process.kill()
            assert service.ended() == -signal.SIGKILL, f"kill {kill}"
        site.base.page = 1000
        site.event_base()
        until(lambda: site.one("select high_water from intake") == len(site.base.events), "everything taken over")
    assert site.taken() == [each.serial for each in site.base.events]


def test_while_base_is_away_it_is_ready_beats_and_waits(site: Site) -> None:
    service = site.event_base(WATCHDOG_USEC="2000000")
    service.await_line("STATUS=waiting for Base: BSHO5003-E")
    assert "READY=1" in service.seen
    service.await_line("WATCHDOG=1")
    service.await_line("WATCHDOG=1")
    assert service.said() == "", "it waits quietly"
    site.base.add_many(3)
    with site.base.listening():
        site.await_mark(3)
        service.await_line("STATUS=takes events over")
    service.await_line("STATUS=waiting")
    site.base.add_many(3)
    with site.base.listening():
        site.await_mark(6)
    assert site.taken() == [1, 2, 3, 4, 5, 6]
    assert service.process.poll() is None


@pytest.mark.parametrize("status", [500, 503, 507])
def test_a_base_that_cannot_now_is_waited_for(site: Site, status: int) -> None:
    site.base.says = status, b'{"error": "BSHO4999-E not now"}'
    site.base.add_many(1)
    with site.base.listening():
        service = site.event_base()
        service.await_line(f"STATUS=waiting for Base: BSHO5003-E Base at {'http'}")
        site.base.says = None
        site.await_mark(1)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, b"{}", "BSHO5004-E"),
        (403, b"{}", "BSHO5004-E"),
        (404, b"{}", "BSHO5005-E"),
        (200, b"<html>", "BSHO5005-E"),
        (200, b'{"events": 7}', "BSHO5005-E"),
    ],
)
def test_what_waiting_would_not_mend_ends_it(site: Site, status: int, body: bytes, message: str) -> None:
    site.base.says = status, body
    with site.base.listening():
        service = site.event_base()
        assert service.ended() == 1
    assert service.said().startswith(message)
    assert len(service.said().splitlines()) == 1


def test_an_event_store_that_is_behind_is_refused(site: Site) -> None:
    site.base.add_many(3)
    site.database.execute("update intake set high_water = 4")
    with site.base.listening():
        service = site.event_base()
        assert service.ended() == 1
    assert service.said().startswith("BSHO5006-E")
    assert site.taken() == []


def test_it_does_not_start_without_a_token_or_an_epoch_or_a_host_or_a_database(site: Site) -> None:
    token = site.server.house.shared / "conf" / "event-base.token"
    token.rename(token.with_suffix(".away"))
    try:
        without_token = site.event_base()
        assert without_token.ended() == 1
    finally:
        token.with_suffix(".away").rename(token)
    assert without_token.said().startswith("BSHO5007-E")
    for wrong in ("", "-1", "x"):
        service = site.event_base(epoch=wrong)
        assert (service.ended(), service.said()[:10]) == (1, "BSHO5009-E")
    unknown = site.event_base(BANSHO_HOST="nobody-knows")
    assert (unknown.ended(), unknown.said()[:10]) == (1, "BSHO1002-E")
    no_database = site.event_base(BANSHO_RUN=str(site.server.house.root))
    assert (no_database.ended(), no_database.said()[:10]) == (1, "BSHO5008-E")


def test_a_later_epoch_in_the_database_keeps_an_old_owner_from_starting(site: Site) -> None:
    site.database.execute("update ownership set epoch = 5, node = 'successor'")
    site.base.add_many(1)
    with site.base.listening():
        service = site.event_base(epoch=4)
        assert service.ended() == 1
    assert service.said().startswith("BSHO5001-E")
    assert "epoch 5 of node successor" in service.said()
    assert site.taken() == []
    assert site.one("select epoch from ownership") == 5


def test_an_old_owner_that_wakes_up_cannot_write(site: Site) -> None:
    site.base.add_many(1)
    with site.base.listening():
        old = site.event_base(epoch=4).ready()
        site.await_mark(1)
        old.process.send_signal(signal.SIGSTOP)
        new = site.event_base(epoch=5).ready()
        new.stop()
        old.process.send_signal(signal.SIGCONT)
        site.base.add_many(1)
        assert old.ended() == 1
    assert old.said().startswith("BSHO5001-E")
    assert site.taken() == [1]
    assert site.one("select high_water from intake") == 1


def test_two_of_one_owner_do_not_double_anything(site: Site) -> None:
    site.base.add_many(1)
    with site.base.listening():
        two = [site.event_base(epoch=4).ready(), site.event_base(epoch=4).ready()]
        for number in range(2, 200):
            site.base.add_many(1)
            site.await_mark(number)
            if any(each.process.poll() is not None for each in two):
                break
        ended = [each for each in two if each.process.poll() is not None]
        assert [each.said()[:10] for each in ended] == ["BSHO5002-E"]
    assert site.taken() == list(range(1, len(site.base.events) + 1))


def test_its_sign_is_given_when_its_status_changes_and_every_second_but_not_for_every_batch(site: Site) -> None:
    with site.base.listening():
        service = site.event_base(WATCHDOG_USEC="60000000").ready()
        for number in range(1, 51):
            site.base.add_many(1)
            site.await_mark(number)
        assert service.stop() == 0
    assert sum(line.startswith("STATUS=takes") for line in service.seen) < 25


def test_told_to_end_it_ends_at_once_while_base_holds_its_question(site: Site) -> None:
    with site.base.listening():
        service = site.event_base().ready()
        assert service.stop() == 0
    assert service.seen[-1] == "STATUS=takes events over"
    assert service.next(0) == ["STOPPING=1"]
    assert service.said() == ""


def test_told_to_end_in_the_middle_of_a_transaction_it_takes_nothing_halfway(site: Site) -> None:
    site.base.add_many(5)
    with psycopg.connect(site.server.conninfo) as other, site.base.listening():
        other.execute("lock table event in access exclusive mode")
        service = site.event_base()
        waiting = "select count(*) from pg_locks where not granted"
        until(lambda: site.one(waiting) == 1, "the event base in its transaction")
        assert service.stop() == 0
        until(lambda: site.one(waiting) == 0, "its transaction's end")
    assert site.taken() == []
    assert site.one("select high_water from intake") == 0


def test_it_does_not_beat_while_the_database_hangs(site: Site) -> None:
    with psycopg.connect(site.server.conninfo) as other, site.base.listening():
        service = site.event_base(WATCHDOG_USEC="1000000")
        service.await_line("WATCHDOG=1")
        other.execute("lock table event in access exclusive mode")
        site.base.add_many(1)
        while service.next(1.5):
            pass
        assert service.next(1.5) == [], "a beat of an event base that cannot write"
        other.rollback()
        service.await_line("WATCHDOG=1")
        site.await_mark(1)


def test_when_the_database_goes_it_ends_and_says_so(site: Site) -> None:
    with site.base.listening():
        service = site.event_base(WATCHDOG_USEC="1000000").ready()
        site.base.add_many(1)
        site.await_mark(1)
        others = (
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname <> ''"
        )
        site.database.execute(others.encode())
        site.base.add_many(1)
        assert service.ended() == 1
        assert service.said().startswith("BSHO5008-E")
        site.event_base()
        site.await_mark(2)
    assert site.taken() == [1, 2]


def test_a_crashing_database_loses_and_doubles_nothing(house: House) -> None:
    """The postmaster dies in the middle of the work; the next one recovers, and the next event base goes on."""
    base = Base()
    base.page = 20
    base.add_many(1000)
    imdb = Imdb(house, define(house, NEWEST[0], ports=f"{{ event-service = {base.port} }}"))
    instance.create(imdb.host)
    (house.shared / "conf" / "event-base.token").write_text(TOKEN)
    with base.listening():
        for epoch in (1, 2):
            imdb.controller().ready()
            service = Service(house.root, "bansho.manager.event_base", BANSHO_HOST="watch", BANSHO_EPOCH=str(epoch))
            with psycopg.connect(conninfo(imdb.host), autocommit=True) as database:
                database.execute("listen event")
                next(database.notifies(timeout=PATIENCE))
                imdb.crash()
            assert service.ended() == 1
            service.close()
        base.page = 1000
        imdb.controller().ready()
        service = Service(house.root, "bansho.manager.event_base", BANSHO_HOST="watch", BANSHO_EPOCH="3")
        with psycopg.connect(conninfo(imdb.host), autocommit=True) as database:
            mark = "select high_water from intake"
            until(lambda: database.execute(mark).fetchone() == (1000,), "all taken over")
            rows = database.execute("select serial from event order by serial").fetchall()
        service.close()
    imdb.close()
    assert [serial for (serial,) in rows] == list(range(1, 1001))
