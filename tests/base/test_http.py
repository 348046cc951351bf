"""Base over HTTP, against a real process."""

import http.client
import json
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest
from tests.base.service import PATIENCE, Service, error

from bansho.base import tokens
from bansho.base.app import BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES


@contextmanager
def locked_store(service: Service) -> Iterator[None]:
    """Makes the writer wait: somebody else holds the store's write lock."""
    with closing(sqlite3.connect(service.store, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def test_an_event_is_registered_and_read_back(service: Service) -> None:
    answer = service.post({"message": "disk full", "severity": "Alert", "attributes": {"OBJECT_NAME": "/data"}})
    assert (answer.status_code, answer.json()) == (201, {"serial": 1, "duplicate": False})
    [event] = service.page()["events"]
    assert event["message"] == "disk full"
    assert (event["serial"], event["source_server"], event["source_serial"]) == (1, "watch", 1)
    assert event["occurred_at"] == event["arrived_at"] > 1.7e9
    with service.client(service.read) as client:
        state = client.get("/api/v1/state").json()
    assert state == {"host": "watch", "epoch": 0, "last": 1, "count": 1, "oldest": 1}


def test_a_repetition_gets_the_first_ones_serial(service: Service) -> None:
    event = {"source_server": "web1", "source_serial": 9, "message": "first"}
    assert service.post(event).json() == {"serial": 1, "duplicate": False}
    assert service.post(event | {"message": "second"}).json() == {"serial": 1, "duplicate": True}
    batch = service.post(event, {"message": "new"}, event).json()
    assert batch["results"] == [
        {"serial": 1, "duplicate": True},
        {"serial": 2, "duplicate": False},
        {"serial": 1, "duplicate": True},
    ]
    assert [event["message"] for event in service.everything()] == ["first", "new"]


def test_the_same_event_from_many_at_once_is_stored_once(service: Service) -> None:
    names = [{"source_server": "web1", "source_serial": n} for n in range(1, 21)]

    def sender(_: int) -> list[dict[str, Any]]:
        with service.client(service.send) as client:
            return [client.post("/api/v1/events", json=name).json() for name in names]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(sender, range(8)))
    for one_event in zip(*answers, strict=True):
        assert len({answer["serial"] for answer in one_event}) == 1
        assert sum(not answer["duplicate"] for answer in one_event) == 1
    assert [event["serial"] for event in service.everything()] == list(range(1, 21))


def test_a_batch_is_all_or_nothing(service: Service) -> None:
    assert error(service.post({"message": "good"}, {"id": "no"})) == (422, "BSHO4002-E")
    assert service.page()["events"] == []


def test_reading_goes_on_after_a_serial(service: Service) -> None:
    service.post(*({"message": str(n)} for n in range(1, 11)))
    page = service.page(4, limit=3)
    assert [event["serial"] for event in page["events"]] == [5, 6, 7]
    assert page["last"] == 7
    assert service.page(10) == {"events": [], "last": 10}


def test_a_waiting_reader_is_woken_by_the_next_event(service: Service) -> None:
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(service.page, 0, wait=60) for _ in range(3)]
        service.post({"message": "news"})
        for page in waiting:  # sooner than the clients' patience of 20 seconds, so not by the end of the wait
            assert [event["message"] for event in page.result()["events"]] == ["news"]


def test_a_wait_without_news_ends_empty(lasting: Service) -> None:
    assert lasting.page(0, wait=0.1) == {"events": [], "last": 0}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("wait=61", "wait"),
        ("wait=nan", "wait"),
        ("since=1", "since"),
        ("after=99999999999999999999", "after"),
    ],
)
def test_a_wrong_parameter_is_named(lasting: Service, parameters: str, told: str) -> None:
    with lasting.client(lasting.read) as client:
        answer = client.get(f"/api/v1/events?{parameters}")
    assert error(answer) == (400, "BSHO4024-E")
    assert told in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("events", b"{", (400, "BSHO4001-E")),
        ("events", b'{"message": "\xff"}', (400, "BSHO4001-E")),
        ("events", b"", (400, "BSHO4001-E")),
        ("events", b"[]", (422, "BSHO4002-E")),
        ("events", b'{"message": 1}', (422, "BSHO4002-E")),
        ("events", b'{"source_server": "watch", "source_serial": 1}', (422, "BSHO4002-E")),
        ("events", b'"' + b"x" * EVENT_BYTES + b'"', (413, "BSHO4023-E")),
        ("events/batch", b"{}", (422, "BSHO4002-E")),
        ("events/batch", b"[" * 100_000, (422, "BSHO4002-E")),
        ("events/batch", b'[{"source_server": "watch", "source_serial": 1}]', (422, "BSHO4002-E")),
        ("events/batch", json.dumps([{}] * (BATCH_EVENTS + 1)).encode(), (413, "BSHO4023-E")),
        ("events/batch", b" " * BATCH_BYTES + b"[]", (413, "BSHO4023-E")),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
def test_what_cannot_be_an_event_is_refused(lasting: Service, path: str, body: bytes, refusal: tuple[int, str]) -> None:
    with lasting.client(lasting.send) as client:
        assert error(client.post(f"/api/v1/{path}", content=body)) == refusal
    assert lasting.page() == {"events": [], "last": 0}


def test_a_body_is_measured_where_its_length_is_not_told(lasting: Service) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(EVENT_BYTES // 1024 + 1):
            yield b"x" * 1024

    with lasting.client(lasting.send) as client:
        assert error(client.post("/api/v1/events", content=endless())) == (413, "BSHO4023-E")


def test_the_largest_batch_fits(service: Service) -> None:
    assert len(service.post(*({"message": "x" * 1023} for _ in range(BATCH_EVENTS))).json()["results"]) == BATCH_EVENTS
    assert service.page()["last"] == BATCH_EVENTS


def test_a_sender_that_leaves_in_the_middle_disturbs_nobody(service: Service) -> None:
    line = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    line.putrequest("POST", "/api/v1/events")
    line.putheader("Authorization", f"Bearer {service.send}")
    line.putheader("Content-Length", "100")
    line.endheaders(b'{"message": "half')
    line.close()
    assert service.post({"message": "whole"}).json()["serial"] == 1
    assert "Traceback" not in service.log.read_text()


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n"])
def test_a_head_without_end_is_cut_off(service: Service, start: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), PATIENCE) as line:
        line.sendall(start)
        piece = b"A: b\r\n" if start.endswith(b"\n") else b"x" * 6
        with pytest.raises(ConnectionError):
            line.sendall(piece * 10_000_000)
    assert service.post({"attributes": {"A": "x" * 9000}}).status_code == 201


REQUESTS = [("POST", "/api/v1/events"), ("POST", "/api/v1/events/batch"), ("GET", "/api/v1/events"),
            ("GET", "/api/v1/state"), ("GET", "/metrics")]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_each_request_needs_a_token_of_its_scope(lasting: Service, method: str, path: str) -> None:
    wrong = lasting.read if method == "POST" else lasting.send
    for header in (None, "Bearer", "Bearer nonsense", "Basic eDp4", f"Bearer {lasting.send[:-1]}"):
        with lasting.client(None) as client:
            headers = {"Authorization": header} if header else {}
            assert error(client.request(method, path, headers=headers)) == (401, "BSHO4020-E")
    with lasting.client(wrong) as client:
        assert error(client.request(method, path)) == (403, "BSHO4021-E")


def test_a_token_made_while_it_runs_works_at_once_and_a_revoked_one_no_longer(service: Service) -> None:
    new = tokens.create(service.host.shared, "new", "send")
    with service.client(new) as client:
        assert client.post("/api/v1/events", json={}).status_code == 201
        tokens.revoke(service.host.shared, "new", "watch")
        statuses = iter(lambda: client.post("/api/v1/events", json={}).status_code, 401)
        assert sum(1 for _ in statuses) < 10_000  # ends with the first 401
        assert client.post("/api/v1/events", json={}).status_code == 401


def test_damaged_tokens_are_said_to_be_that(service: Service) -> None:
    tokens.path_of(service.host.shared).write_text("{")
    with service.client("unknown") as client:
        assert error(client.post("/api/v1/events", json={})) == (503, "BSHO4028-E")


def test_a_disk_that_was_taken_away_is_no_reason_to_turn_a_sender_away(service: Service) -> None:
    conf = service.host.shared.conf
    away = conf.rename(conf.with_name("away"))
    with service.client(service.send) as client:
        assert error(client.post("/api/v1/events", json={})) == (503, "BSHO4028-E")
        away.rename(conf)
        assert client.post("/api/v1/events", json={}).status_code == 201


def test_unknown_paths_and_methods(lasting: Service) -> None:
    with lasting.client(lasting.send) as client:
        assert error(client.get("/api/v1/nothing")) == (404, "BSHO4022-E")
        assert error(client.delete("/api/v1/events")) == (405, "BSHO4022-E")


def test_metrics_count_what_happened(service: Service) -> None:
    service.post({"source_server": "a", "source_serial": 1})
    service.post({"source_server": "a", "source_serial": 1})
    service.post({"id": "no"})
    with service.client(service.read) as client:
        text = client.get("/metrics").text
    for line in (
        'bansho_events_total{result="registered"} 1.0',
        'bansho_events_total{result="duplicate"} 1.0',
        'bansho_requests_refused_total{status="422"} 1.0',
        "bansho_last_serial 1.0",
        "bansho_events_waiting 0.0",
        "bansho_commit_seconds_count 2.0",
    ):
        assert line in text.splitlines()


def test_a_store_that_stays_locked_refuses_and_goes_on_afterwards(service: Service) -> None:
    with service.client(None) as client:
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        with locked_store(service):
            assert error(service.post({"message": "not now"})) == (503, "BSHO4027-E")
            assert error(client.get("/healthz")) == (503, "BSHO4027-E")
        assert client.get("/healthz").status_code == 200
    assert service.post({"message": "now"}).json() == {"serial": 1, "duplicate": False}
    log = service.log.read_text()
    assert log.index("events are refused") < log.index("events are taken in again")


def test_what_waits_for_the_writer_is_committed_as_one_group(service: Service) -> None:
    with ThreadPoolExecutor(16) as pool:
        with locked_store(service):
            waiting = [pool.submit(service.post, {"message": str(n)}) for n in range(16)]
            while metric(service, "bansho_events_waiting") < 16:
                pass
        assert sorted(answer.result().json()["serial"] for answer in waiting) == list(range(1, 17))
    assert metric(service, "bansho_commit_events_count") < 16


def metric(service: Service, name: str) -> float:
    with service.client(service.read) as client:
        lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
