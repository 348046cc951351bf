"""The deep check above our own Base and Manager: an event comes through, or the step where it does not is named."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.base.service import free_ports
from tests.cluster.own import GENERIC, SUCCESS, OwnNode
from tests.nodes import until

from bansho.cluster.agent.through import EVENT_ID
from bansho.cluster.install import OUR_COMMANDS
from bansho.database.connection import conninfo
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.places import NodePlaces

if TYPE_CHECKING:
    from tests.house import House

DEEP = 10


class Real(OwnNode):
    """Base and Manager as they are."""

    def __init__(self, house: "House") -> None:
        super().__init__(house)
        service, console = free_ports()
        user = {"user": '"postgres"'} if os.geteuid() == 0 else {}
        house.define("watch", f"[ports]\nevent-service = {service}\nconsole = {console}\n", **user)
        (house.shared / "conf/base.toml").unlink()
        assert house.command("bansho", "setup", "watch").returncode == 0
        base = house.shared / "conf/base.toml"
        base.write_text(re.sub("(?m)^watchdog = .*$", "watchdog = 1000.0", base.read_text()))

    def monitor(self, suite: str, level: int = 0, **parameters: str) -> tuple[int, str]:
        database = str(suite == "manager").lower()
        return self.call("monitor", 10, level, suite=suite, database=database, **parameters)

    def check(self, suite: str, seconds: float = 60) -> tuple[int, str]:
        """The deep check."""
        return self.monitor(suite, DEEP, CRM_meta_timeout=f"{seconds * 1000:.0f}")

    @property
    def host(self) -> LogicalHost:
        return definition.load("watch")

    def pid(self, suite: str, service: str) -> int:
        record = (NodePlaces.of("watch").suite(suite) / "record").read_text().splitlines()[2]
        return int(next(each["pid"] for each in json.loads(record)["services"] if each["name"] == service))

    def events(self) -> list[tuple[str, str, str]]:
        """Id, severity and message of the events that deep checks have left in the IM database."""
        with psycopg.connect(conninfo(self.host)) as connection:
            rows = connection.execute(
                "SELECT id, severity, message FROM event WHERE id = %s ORDER BY serial", [EVENT_ID]
            )
            return [(row[0], row[1], row[2]) for row in rows.fetchall()]

    def end(self) -> None:
        for killall in ("jco_killall.cluster", "jbs_killall.cluster"):
            subprocess.run([OUR_COMMANDS / killall, "watch"], capture_output=True, check=False)


@pytest.fixture
def real(house: "House") -> Iterator[Real]:
    real = Real(house)
    try:
        for suite in ("base", "manager"):
            assert real.call("start", suite=suite) == (SUCCESS, "")
        yield real
    finally:
        real.end()


def test_an_event_comes_through_or_the_step_where_it_does_not_is_named(real: Real) -> None:
    an_event_comes_through(real)
    what_no_restart_would_mend_is_no_failure(real)
    a_database_that_hangs(real)
    a_base_that_hangs_is_bases_alone(real)


def an_event_comes_through(real: Real) -> None:
    for suite in ("base", "manager"):
        assert real.check(suite) == (SUCCESS, "")
    until(lambda: len(real.events()) == 2)
    assert real.events() == [
        (EVENT_ID, "Debug", "deep check of base on watch"),
        (EVENT_ID, "Debug", "deep check of manager on watch"),
    ]
    for suite in ("base", "manager"):
        assert real.call("monitor", suite=suite, level=DEEP, interval=0) == (SUCCESS, "")
    assert len(real.events()) == 2, "a probe writes nothing"


def what_no_restart_would_mend_is_no_failure(real: Real) -> None:
    token = real.house.shared / "conf/process-manager.token"
    right = token.read_text()
    token.write_text("revoked\n")
    for suite in ("base", "manager"):
        value, said = real.check(suite)
        assert value == SUCCESS
        assert "BSHO6023-W" in said
        assert "answered 401" in said
    token.unlink()
    assert "no token in" in real.check("base")[1]
    token.write_text(right)


def a_database_that_hangs(real: Real) -> None:
    """Somebody's lock: the postmaster answers, every service beats, and no event gets through."""
    with psycopg.connect(conninfo(real.host)) as connection:
        connection.execute("LOCK TABLE intake IN ACCESS EXCLUSIVE MODE")
        assert real.monitor("manager") == (SUCCESS, "")
        value, said = real.check("manager", seconds=12)
    assert value == GENERIC
    assert "BSHO6017-E suite manager of watch: deep check after " in said
    assert said.strip().endswith("reading how far the IM database has taken events over")


def a_base_that_hangs_is_bases_alone(real: Real) -> None:
    """Before its watchdog: in the definition of this test that has a long time."""
    os.kill(real.pid("base", "event-service"), signal.SIGSTOP)
    assert real.monitor("base") == (SUCCESS, "")
    value, said = real.check("base", seconds=8)
    assert value == GENERIC
    assert re.search(
        r"BSHO6017-E suite base of watch: deep check after \d+ s: writing an event to Base at 127.0.0.1", said
    )
    value, said = real.check("manager")
    assert (value, "that is Base's to report" in said) == (SUCCESS, True), said
