"""The overview of the logical host: from real status records, a real history, and a Base that answers or does not."""

import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.house import House

from bansho.contract import operation
from bansho.database import account
from bansho.logicalhost import definition, history
from bansho.manager.overview import takeover_views
from bansho.manager.suiteview import suite_view
from bansho.process import record

SERVICES: list[dict[str, Any]] = [
    {"name": "imdb", "state": "ready", "pid": 11, "required": True, "since": 1_790_000_000.5, "status": "accepts"},
    {"name": "event-base", "state": "hung", "pid": 12, "required": True, "since": None, "status": None},
    {"name": "correlation", "state": "stopped", "pid": None, "required": False, "since": None, "status": ""},
]


def write_record(path: Path, value: int, services: list[dict[str, Any]] = SERVICES, **changes: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = record.own(value, "as a person reads it", {"value": value, "services": services})
    record.write(path, made._replace(**{"until": made.until + 100_000} | changes))


def test_a_fresh_record_is_shown_as_it_is(tmp_path: Path) -> None:
    write_record(tmp_path / "record", operation.PARTLY_STOPPED)
    view = suite_view("manager", tmp_path / "record")
    assert (view.value, view.meaning, view.text) == (4, "partially stopped", "as a person reads it")
    assert [(each.name, each.state, each.required) for each in view.services] == [
        ("imdb", "ready", True),
        ("event-base", "hung", True),
        ("correlation", "stopped", False),
    ]


@pytest.mark.parametrize("changes", [{"until": 1}, {"boot_id": "0-0-0-0-0"}, {"ticks": 1}, {"pid": 2**22 + 1}])
def test_a_record_that_cannot_be_trusted_has_no_value(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_record(tmp_path / "record", operation.ALL_RUNNING, **changes)
    view = suite_view("manager", tmp_path / "record")
    assert view.value is None
    assert view.meaning == "unknown"
    assert "silent" in view.text
    assert len(view.services) == 3


def test_no_record_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    assert "no status record" in suite_view("base", tmp_path / "record").text
    (tmp_path / "record").write_text("rubbish")
    assert "damaged" in suite_view("base", tmp_path / "record").text
    write_record(tmp_path / "record", 0, [{"name": 7}])
    view = suite_view("base", tmp_path / "record")
    assert (view.value, view.services) == (0, [])
    assert "details are damaged" in view.text


def mark(house: House, at: float, leg: str, **facts: Any) -> None:
    shared = definition.load("watch").shared
    with history.path(shared).open("a") as file:
        file.write(json.dumps({"at": at, "node": "n1", "leg": leg, **facts}) + "\n")


def test_a_takeover_ends_when_manager_was_started(house: House) -> None:
    house.define("watch")
    mark(house, 100.0, "lease", epoch=3, previous=None)
    mark(house, 200.0, "lease", epoch=4, previous="n0")
    mark(house, 200.5, "base started")
    mark(house, 201.0, "database open")
    mark(house, 201.5, "manager started")
    mark(house, 900.0, "manager started")  # a restart by the cluster, on the same node
    newest, oldest = takeover_views(definition.load("watch"))
    assert (newest.epoch, newest.previous, newest.seconds) == (4, "n0", 1.5)
    assert [(leg.leg, leg.seconds) for leg in newest.legs] == [
        ("lease", 0.0),
        ("base started", 0.5),
        ("database open", 1.0),
        ("manager started", 1.5),
    ]
    assert (oldest.epoch, oldest.seconds, [leg.leg for leg in oldest.legs]) == (3, None, ["lease"])


def test_a_history_that_is_not_there_is_empty(house: House) -> None:
    house.define("watch")
    assert takeover_views(definition.load("watch")) == []
    mark(house, 1.0, "lease")  # without an epoch
    assert takeover_views(definition.load("watch")) == []


class Base(BaseHTTPRequestHandler):
    """Answers as Base does when it is asked how far it is."""

    answer: ClassVar[bytes] = b""
    tokens: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.tokens.append(self.headers["Authorization"])
        self.send_response(200 if self.path == "/api/v1/state" else 404)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def base(site: Any) -> Iterator[type[Base]]:
    (site.host.shared.conf / "event-base.token").write_text("a-token\n")
    with HTTPServer(("127.0.0.1", site.host.ports.event_service), Base) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Base
        server.shutdown()
        thread.join()


def database(site: Any) -> dict[str, Any]:
    with site.console(), site.client() as client:
        found: dict[str, Any] = client.get("/api/v1/host").json()["database"]
        return found


def test_the_lag_is_what_base_has_more(site: Any, base: type[Base]) -> None:
    site.clear()
    site.arrive({}, {})
    base.answer = b'{"host": "watch", "epoch": 7, "last": 12, "count": 12, "oldest": 1}'
    found = database(site)
    assert (found["high_water"], found["base_last"], found["lag"]) == (2, 12, 10)
    assert found["size"] > 1_000_000
    assert base.tokens[-1] == "Bearer a-token"


def test_a_base_that_answers_nonsense_leaves_the_lag_unknown(site: Any, base: type[Base]) -> None:
    base.answer = b"[]"
    assert database(site)["lag"] is None


def test_a_base_that_does_not_answer_leaves_the_lag_unknown(site: Any) -> None:
    found = database(site)
    assert found["connected"]
    assert found["lag"] is None


def test_the_page_shows_it_all(site: Any) -> None:
    for suite, value in (("base", operation.ALL_RUNNING), ("manager", operation.PARTLY_STOPPED)):
        write_record(site.host.node.suite(suite) / "record", value)
    history.path(site.host.shared).unlink(missing_ok=True)
    history.mark(site.host.shared, "lease", epoch=7, previous="node-a")
    with site.console(), site.client() as client:
        text = re.sub(r"<[^>]+>|\s+", " ", client.get("/host").text)
        text = re.sub(" +", " ", text)
    for shown in ("all running 0", "partially stopped 4", "event-base", "hung", "from node-a", "connected"):
        assert shown in text, shown
    assert os.uname().nodename in text
    assert "Epoch 7" in text


def test_it_runs_as_a_user_who_is_not_root(site: Any, as_root: None) -> None:
    user = account.of(site.host)
    for path in (site.host.shared.conf, *site.host.shared.conf.iterdir()):  # as `bansho setup` does
        os.chown(path, user.uid, user.gid)
    with site.console(**user.for_child()) as service, site.client() as client:
        assert Path(f"/proc/{service.process.pid}").stat().st_uid == user.uid != 0
        assert client.get("/").status_code == 200
        assert client.get("/api/v1/host").json()["database"]["connected"]
