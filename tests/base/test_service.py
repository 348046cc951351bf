"""The event service's process: how it begins, ends, and what happens to events when it, its disk or its lease dies."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.base.service import PATIENCE, Service, error
from tests.base.test_http import locked_store, metric

from bansho.base import tokens
from bansho.logicalhost import definition, history, lease


def refused_start(service: Service, **environment: str) -> str:
    """Starts it where it cannot run; its one line."""
    assert service.launch(**environment).wait(PATIENCE) == 1
    [line] = service.log.read_text().splitlines()
    return line


def test_it_is_ready_once_it_answers(stopped: Service) -> None:
    stopped.launch()
    assert "STATUS=takes events in" in stopped.notified("READY=1")
    assert stopped.post({"message": "first"}).status_code == 201


def test_a_port_that_somebody_has_is_named_with_its_holder(stopped: Service) -> None:
    with socket.create_server(("127.0.0.1", stopped.port)):
        line = refused_start(stopped)
    assert line.startswith(f"BSHO4010-E event service: cannot listen on 127.0.0.1 port {stopped.port}: process ")
    assert f"process {os.getpid()} listens there" in line


def test_an_address_that_is_not_here_is_named(stopped: Service) -> None:
    path = definition.path_of("watch")
    path.write_text(f'address = "192.0.2.77/24"\n{path.read_text()}')
    assert refused_start(stopped).startswith("BSHO4010-E event service: cannot listen on 192.0.2.77")


def test_a_second_service_on_the_same_store_is_refused(service: Service) -> None:
    assert service.process
    first, before = service.process, service.log.read_text()
    path = definition.path_of("watch")
    path.write_text(path.read_text().replace(f"event-service = {service.port}", "event-service = 1"))
    try:
        assert service.launch().wait(PATIENCE) == 1
        assert f"process {first.pid} has it open" in service.log.read_text().removeprefix(before)
    finally:
        service.process = first


def test_a_missing_definition_is_one_line(stopped: Service) -> None:
    assert refused_start(stopped, BANSHO_HOST="nowhere").startswith("BSHO1002-E")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_and_the_store_is_whole(service: Service, signal_number: int) -> None:
    service.post({"message": "kept"})
    assert service.end(signal_number) == 0
    assert "STOPPING=1" in service.notified("STOPPING=1")
    assert not service.store.with_name("events.db-wal").exists()
    service.start()
    assert [event["message"] for event in service.everything()] == ["kept"]


def test_what_is_under_way_is_answered_when_it_ends(service: Service) -> None:
    assert service.process
    with ThreadPoolExecutor(1) as pool, locked_store(service):
        writing = pool.submit(service.post, {"message": "just in time"})
        while metric(service, "bansho_events_waiting") < 1:
            pass
        service.process.send_signal(signal.SIGTERM)
        service.notified("STOPPING=1")
    assert writing.result().status_code == 201
    assert service.process.wait(PATIENCE) == 0
    assert service.start().page()["last"] == 1


def test_a_waiting_reader_does_not_hold_up_the_end(service: Service) -> None:
    assert service.process
    reader = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    reader.request("GET", "/api/v1/events?wait=60", headers={"Authorization": f"Bearer {service.read}"})
    for _ in range(3):  # answered one after the other: then the reader's request has come in as well
        service.page()
    service.process.send_signal(signal.SIGTERM)
    answer = reader.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"events": [], "last": 0})
    assert service.process.wait(PATIENCE) == 0
    reader.close()


def test_it_beats_while_both_threads_live_and_is_silent_when_the_writer_hangs(stopped: Service) -> None:
    stopped.start(WATCHDOG_USEC="200000")
    stopped.notified("WATCHDOG=1")
    stopped.notified("WATCHDOG=1")
    with ThreadPoolExecutor(1) as pool, locked_store(stopped):
        waiting = pool.submit(stopped.post, {"message": "held up"})
        while metric(stopped, "bansho_events_waiting") < 1:
            pass
        stopped.notifications.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                stopped.notifications.recv(4096)
        stopped.notifications.settimeout(0.5)
        with pytest.raises(TimeoutError):
            stopped.notifications.recv(4096)
        stopped.notifications.settimeout(PATIENCE)
    assert waiting.result().status_code == 201
    stopped.notified("WATCHDOG=1")


class Senders:
    """Threads that send numbered events, one after the other, and note what was acknowledged."""

    def __init__(self, service: Service, name: str, threads: int) -> None:
        self.acknowledged: dict[tuple[str, int], int] = {}
        self.unanswered: list[tuple[str, int]] = []
        self.enough = threading.Event()
        self._service = service
        self._pool = ThreadPoolExecutor(threads)
        self._runs = [self._pool.submit(self._send, f"{name}{n}") for n in range(threads)]

    def _send(self, source: str) -> None:
        with self._service.client(self._service.send) as client:
            for number in range(1, 100_000):
                try:
                    answer = client.post("/api/v1/events", json={"source_server": source, "source_serial": number})
                except httpx.TransportError:
                    self.unanswered.append((source, number))
                    return
                self.acknowledged[source, number] = answer.json()["serial"]
                if len(self.acknowledged) > 300:
                    self.enough.set()

    def join(self) -> None:
        for run in self._runs:
            run.result()
        self._pool.shutdown()


def test_what_was_acknowledged_survives_a_kill_under_load_exactly_once(service: Service) -> None:
    acknowledged: dict[tuple[str, int], int] = {}
    for name in ("before", "after"):
        senders = Senders(service, name, 4)
        assert senders.enough.wait(60)
        service.end(signal.SIGKILL)
        senders.join()
        service.start()
        for source, number in senders.unanswered:
            answer = service.post({"source_server": source, "source_serial": number})
            senders.acknowledged[source, number] = answer.json()["serial"]
        acknowledged |= senders.acknowledged
        events = service.everything()
        stored = {(event["source_server"], event["source_serial"]): event["serial"] for event in events}
        assert len(stored) == len(events)
        assert acknowledged == stored
        assert [event["serial"] for event in events] == list(range(1, len(events) + 1))


def test_after_a_takeover_the_old_service_writes_nothing(stopped: Service) -> None:
    mine = lease.acquire(stopped.host)
    stopped.start(BANSHO_EPOCH=str(mine.epoch))
    assert stopped.post({"message": "ours"}).status_code == 201
    lease.release(stopped.host, "base")
    assert lease.acquire(stopped.host).epoch == mine.epoch + 1
    assert error(stopped.post({"message": "too late"})) == (503, "BSHO1007-E")
    with stopped.client(None) as client:
        assert error(client.get("/healthz")) == (503, "BSHO1007-E")
    assert [event["message"] for event in stopped.everything()] == ["ours"]
    stopped.end()
    stopped.log.unlink()
    assert refused_start(stopped, BANSHO_EPOCH=str(mine.epoch)).startswith("BSHO1007-E")
    stopped.start(BANSHO_EPOCH=str(mine.epoch + 1))
    assert stopped.post({"message": "the new owner's"}).json() == {"serial": 2, "duplicate": False}


@pytest.fixture
def small_disk(stopped: Service, as_root: None) -> Service:
    """Running with its store on a file system of 8 MiB that only its mount namespace has."""
    stopped.host.shared.events.mkdir(mode=0o700)
    mount = 'mount -t tmpfs -o size=8m small "$1" && shift && exec "$@"'
    stopped.start("unshare", "--mount", "sh", "-c", mount, "sh", str(stopped.host.shared.events))
    return stopped


def inside(service: Service) -> Path:
    """The store's folder as the service sees it."""
    assert service.process
    return Path(f"/proc/{service.process.pid}/root{service.host.shared.events}")


def fill(path: Path) -> None:
    """Writes until nothing more fits."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_loses_nothing_and_needs_no_hand(small_disk: Service) -> None:
    service, event = small_disk, {"message": "x" * 1000}
    assert service.post(event).status_code == 201
    fill(inside(service) / "ballast")
    acknowledged = 1
    while (answer := service.post(event)).status_code == 201:
        acknowledged += 1
    assert error(answer) == (507, "BSHO4026-E")
    with service.client(None) as client:
        assert error(client.get("/healthz")) == (503, "BSHO4026-E")
    assert len(service.everything()) == acknowledged
    (inside(service) / "ballast").unlink()
    with service.client(None) as client:
        assert client.get("/healthz").status_code == 200
    assert service.post(event).json() == {"serial": acknowledged + 1, "duplicate": False}


def test_damaged_tokens_are_told_and_mended_without_a_restart(service: Service) -> None:
    path = tokens.path_of(service.host.shared)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    assert error(service.post({"message": "refused"})) == (503, "BSHO4028-E")
    assert service.notified(f"STATUS={service_error(service)}")
    with service.client(None) as client:
        assert error(client.get("/healthz")) == (503, "BSHO4028-E")
    path.write_bytes(content)
    assert service.post({"message": "let in"}).status_code == 201
    service.notified("STATUS=takes events in")
    logged = [json.loads(line) for line in service.log.read_text().splitlines()]
    [refusal] = [each for each in logged if each["event"] == "events are refused"]
    assert refusal["level"] == "error"
    assert refusal["reason"].startswith(f"BSHO4028-E {path}: expected the tokens")


def service_error(service: Service) -> str:
    """What it answers to any request that needs a token."""
    text: str = service.post({"message": "refused"}).json()["error"]
    return text


def test_the_first_event_is_marked_in_the_takeover_history_once(service: Service) -> None:
    def marked() -> list[str]:
        return [mark.leg for mark in history.marks(service.host.shared)]

    assert marked() == []
    service.post({"message": "first"})
    end = time.monotonic() + PATIENCE
    while not marked():
        assert time.monotonic() < end
    service.post({"message": "second"})
    assert service.end() == 0
    assert marked() == ["first event"]


def test_it_prints_one_json_object_a_line(service: Service) -> None:
    service.post({"message": "secret words"})
    service.end()
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["ready", "ended"]
    assert "secret words" not in service.log.read_text()
    assert service.send not in service.log.read_text()


def test_nothing_of_the_service_is_for_others(service: Service) -> None:
    service.post({})
    for path in service.host.shared.events.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
