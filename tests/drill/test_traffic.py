"""The sender sends each event until it is acknowledged, and its ledger tells what happened."""

import io
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bansho.drill import traffic
from bansho.drill.stage import Sender as Watched


class Service(ThreadingHTTPServer):
    """A small event service that fails now and then: it takes the events and gives no answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stored: dict[int, int] = {}
        self.requests = 0
        self.enough = threading.Event()
        self.refuse = False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests += 1
        for event in events:
            self.server.stored.setdefault(event["source_serial"], len(self.server.stored) + 1)
        if len(self.server.stored) >= 50:
            self.server.enough.set()
        if self.server.requests % 3 == 0:
            self.close_connection = True  # taken, and the answer is lost
            return
        status = 422 if self.server.refuse else 201
        results = [{"serial": self.server.stored[event["source_serial"]], "duplicate": False} for event in events]
        body = json.dumps({"results": results}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield service
        service.shutdown()


def sender(service: Service, ledger: io.StringIO) -> closing[traffic.Events]:
    return closing(traffic.Events(f"http://127.0.0.1:{service.server_port}", "token", "test", ledger))


def test_every_event_is_acknowledged_with_its_own_serial_though_answers_are_lost(service: Service) -> None:
    text, stop = io.StringIO(), threading.Event()
    with sender(service, text) as sending:
        run = threading.Thread(target=sending.run, args=(1000, stop))
        run.start()
        assert service.enough.wait(30)
        stop.set()
        run.join(30)
    ledger = traffic.Ledger({}, {})
    traffic.note(ledger, text.getvalue().splitlines())
    assert ledger.acknowledged
    assert {n: ack.serial for n, ack in ledger.acknowledged.items()}.items() <= service.stored.items()
    assert set(service.stored) <= set(ledger.sent)
    assert sorted(ledger.acknowledged) == list(range(1, len(ledger.acknowledged) + 1))


def test_a_refusal_ends_the_sender_with_its_reason(service: Service) -> None:
    service.refuse = True
    with sender(service, io.StringIO()) as sending, pytest.raises(traffic.Refused, match="422"):
        sending.run(1000, threading.Event())


def test_a_ledger_is_read_up_to_its_last_whole_line_and_then_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    watched = Watched(None, path)  # type: ignore[arg-type]
    path.write_text("s 1 10.0\na 1 501 10.1\ns 2 10.2\na 2 50")
    assert watched.ledger().acknowledged == {1: traffic.Acknowledged(501, 10.1)}
    with path.open("a") as file:
        file.write("2 10.3\n")
    assert watched.ledger().acknowledged[2] == traffic.Acknowledged(502, 10.3)
    assert watched.ledger().sent == {1: 10.0, 2: 10.2}


def test_a_sender_that_gave_up_says_why(tmp_path: Path) -> None:
    path = tmp_path / "outside.ledger"
    path.write_text("s 1 10.0\na 1 501 10.1\n")
    script = "echo Traceback >&2; echo 'Refused: 401' >&2; exit 1"
    with path.with_suffix(".errors").open("wb") as errors:
        process = subprocess.Popen(["sh", "-c", script], stderr=errors)
    process.wait(30)
    assert Watched(process, path).said() == "1 acknowledged; the sender ended: Refused: 401"


def test_a_sender_that_goes_on_says_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "outside.ledger"
    path.write_text("s 1 10.0\na 1 501 10.1\n")
    with subprocess.Popen(["sleep", "60"]) as process:
        assert Watched(process, path).said() == "1 acknowledged"
        process.kill()
