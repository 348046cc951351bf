"""Process events from their real causes, read from a real event service: 3F90, 3F91, 3F92, each once."""

import json
import os
import pwd
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.base.service import free_ports
from tests.commands.suites import Suite, eventually, service, steady, suite_in
from tests.house import House

from bansho.base import tokens
from bansho.logicalhost import definition

EVENT_SERVICE = """
[[service]]
name = "event-service"
command = ["{python}", "-m", "bansho.base.event_service"]
"""


class Site:
    """Base with a real event service on one logical host, and Manager of small programs beside it."""

    def __init__(self, house: House, base: Suite, manager: Suite) -> None:
        self.house, self.base, self.manager = house, base, manager
        self.port, console = free_ports()
        self.ports = f"[ports]\nevent-service = {self.port}\nconsole = {console}"
        (house.shared / "events").mkdir()
        house.define(text=self.ports)
        self.host = definition.load("watch")
        self._reader = tokens.create(self.host.shared, "reader", "read")
        token = tokens.create(self.host.shared, "process-manager", "send")
        self.host.shared.process_manager_token.write_text(token + "\n")

    def events(self) -> list[dict[str, Any]]:
        """What the event service has, from the first."""
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{self.port}/api/v1/events",
                headers={"Authorization": f"Bearer {self._reader}"},
                timeout=20,
                trust_env=False,
            )
        except httpx.TransportError:
            return []
        found: list[dict[str, Any]] = answer.json()["events"]
        return found

    def wait_for(self, *ids: str) -> list[dict[str, Any]]:
        """Waits until these are the events that there are."""
        eventually(lambda: len(self.events()) >= len(ids), 20, lambda: f"{self.events()}, {self.spooled()}")
        found = self.events()
        assert [event["id"] for event in found] == list(ids)
        return found

    def spooled(self) -> list[dict[str, Any]]:
        """What waits in the spool."""
        return [json.loads(path.read_bytes()) for path in sorted(self.host.shared.spool.glob("watch/[0-9]*.json"))]

    def end_base(self) -> None:
        """As a cluster does it."""
        self.base.stop()
        assert self.base.killall().returncode == 0


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    house.define()
    suites = [suite_in(house), suite_in(house, suite="manager")]
    yield Site(house, *(next(suite) for suite in suites))
    for suite in suites:
        next(suite, None)


def test_an_abnormal_end_is_told_with_its_attributes(site: Site) -> None:
    site.base.write(EVENT_SERVICE)
    site.manager.write(steady("x"), steady("y"))
    site.base.start()
    site.manager.start()
    pid = site.manager.pid("x")
    os.kill(pid, signal.SIGKILL)
    (event,) = site.wait_for("3F90")
    assert event["severity"] == "Error"
    assert event["message"] == "BSHO2112-E service x of manager on watch ended abnormally: was killed by signal 9"
    assert event["source_server"] == "watch:process-manager"
    attributes = event["attributes"]
    assert int(attributes.pop("START_TIME")) <= int(attributes.pop("END_TIME")) <= event["occurred_at"] + 1
    assert attributes == {
        "PRODUCT_NAME": "/BANSHO/MANAGER/PROCESS_MANAGER",
        "OBJECT_TYPE": "SERVICE",
        "OBJECT_NAME": "x",
        "OBJECT_ID": str(pid),
        "ROOT_OBJECT_TYPE": "LOGICAL_HOST",
        "ROOT_OBJECT_NAME": "watch",
        "OCCURRENCE": "ABNORMAL_END",
        "USER_NAME": pwd.getpwuid(os.getuid()).pw_name,
        "RESULT_CODE": "137",
        "NODE": os.uname().nodename,
    }
    assert site.spooled() == []


def test_a_stop_is_no_event_and_an_end_of_its_own_is(site: Site) -> None:
    site.base.write(EVENT_SERVICE)
    gate = site.manager.gate("gate")
    site.manager.write(steady("x"), service("y", "ready", f"gate={gate}", "exit=3"))
    site.base.start()
    site.manager.start()
    gate.write_text("")
    (event,) = site.wait_for("3F90")
    assert (event["attributes"]["OBJECT_NAME"], event["attributes"]["RESULT_CODE"]) == ("y", "3")
    site.manager.stop()
    site.manager.start()
    site.manager.killall()
    site.wait_for("3F90")


def test_a_late_start_is_told_once(site: Site) -> None:
    site.base.write(EVENT_SERVICE)
    gate = site.manager.gate("gate")
    site.manager.write(service("x", f"gate={gate}", "ready", "wait", start_limit=0.2))
    site.base.start()
    site.manager.start()
    (event,) = site.wait_for("3F91")
    assert "has not reported that it is ready within 0.2 s" in event["message"]
    assert (event["severity"], event["attributes"]["OCCURRENCE"]) == ("Error", "LATE_START")
    gate.write_text("")
    site.manager.wait_for(0)
    site.wait_for("3F91")


def test_the_death_of_the_event_service_itself_arrives_after_its_restart(site: Site) -> None:
    site.base.write(EVENT_SERVICE)
    site.base.start()
    os.kill(site.base.pid("event-service"), signal.SIGKILL)
    site.base.wait_for(4)
    eventually(lambda: [event["id"] for event in site.spooled()] == ["3F90"])
    site.end_base()
    assert len(site.spooled()) == 1  # in the shared directory: it goes where the logical host goes
    site.base.start()
    (event,) = site.wait_for("3F90")
    assert event["attributes"]["OBJECT_NAME"] == "event-service"
    eventually(lambda: site.spooled() == [])
    site.end_base()
    site.base.start()
    site.wait_for("3F90")


def test_a_dead_event_service_and_at_once_a_stop_still_leave_the_event(site: Site) -> None:
    site.base.write(EVENT_SERVICE, steady("x", after=["event-service"]), on_service_failure='"stop-all"')
    site.base.start()
    os.kill(site.base.pid("event-service"), signal.SIGKILL)
    site.base.wait_for(8)
    assert [event["id"] for event in site.spooled()] == ["3F90"]
    site.base.start()
    site.wait_for("3F90")


def test_manager_tells_what_happened_while_base_was_away(site: Site) -> None:
    site.base.write(EVENT_SERVICE)
    site.manager.write(steady("x"), steady("y"))
    site.manager.start()
    os.kill(site.manager.pid("x"), signal.SIGKILL)
    eventually(lambda: len(site.spooled()) == 1)
    site.base.start()
    site.wait_for("3F90")


def test_a_restart_on_the_physical_host_is_told(site: Site) -> None:
    site.house.define(text=site.ports, kind='"physical"')
    site.base.write(EVENT_SERVICE + "restart = 1\nrestart-interval = 0\n")
    site.base.start()
    os.kill(site.base.pid("event-service"), signal.SIGKILL)
    died, restarted = site.wait_for("3F90", "3F92")
    assert "is ready again after restart 1" in restarted["message"]
    assert (restarted["severity"], restarted["attributes"]["OCCURRENCE"]) == ("Information", "RESTART")
    assert died["occurred_at"] < restarted["occurred_at"]


def test_switched_off_none_is_told_and_a_reload_switches_on(site: Site) -> None:
    site.base.write(EVENT_SERVICE, steady("x"), steady("y"), process_events="false")
    site.base.start()
    os.kill(site.base.pid("x"), signal.SIGKILL)
    site.base.wait_for(4)
    site.base.write(EVENT_SERVICE, steady("x"), steady("y"))
    assert site.base.reload().returncode == 0
    os.kill(site.base.pid("y"), signal.SIGKILL)
    (event,) = site.wait_for("3F90")
    assert event["attributes"]["OBJECT_NAME"] == "y"


def test_a_suite_without_base_tells_nobody_and_says_nothing(site: Site) -> None:
    site.house.define(text=site.ports, suites='["manager"]')
    site.manager.write(steady("x"), steady("y"))
    site.manager.start()
    os.kill(site.manager.pid("x"), signal.SIGKILL)
    site.manager.wait_for(4)
    site.manager.stop()
    assert not site.host.shared.spool.exists()
    assert "process event" not in (site.manager.folder / "spmd.log").read_text()


def test_events_are_sent_as_the_services_user(site: Site, as_root: None) -> None:
    shared = site.host.shared
    for path in (shared.events, shared.process_manager_token, shared.conf / "tokens.json"):
        shutil.chown(path, "nobody")
    site.house.define(text=site.ports, user='"nobody"')
    site.base.write(EVENT_SERVICE, steady("x"))
    site.base.start()
    os.kill(site.base.pid("x"), signal.SIGKILL)
    (event,) = site.wait_for("3F90")
    assert (event["user_name"], event["attributes"]["USER_NAME"]) == ("nobody", "nobody")
    assert shared.spool.owner() == "nobody"


def test_a_frozen_event_service_holds_nothing_up(site: Site) -> None:
    site.base.write(EVENT_SERVICE)
    site.manager.write(steady("x"), steady("y"))
    site.base.start()
    site.manager.start()
    frozen = site.base.pid("event-service")
    os.kill(frozen, signal.SIGSTOP)
    try:
        os.kill(site.manager.pid("x"), signal.SIGKILL)
        eventually(lambda: len(site.spooled()) == 1)
        assert site.manager.value == 4
        os.kill(site.manager.pid("y"), signal.SIGKILL)
        site.manager.wait_for_service("y", "failed")
        site.manager.stop()
        assert (site.manager.value, len(site.spooled())) == (8, 2)
    finally:
        os.kill(frozen, signal.SIGCONT)
    site.manager.start()
    found = site.wait_for("3F90", "3F90")
    assert [event["attributes"]["OBJECT_NAME"] for event in found] == ["x", "y"]
