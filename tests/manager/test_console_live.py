"""The stream of new events, and the console's life: on the real process, while database and console come and go."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sse_starlette import ServerSentEvent

from bansho.manager import accounts
from bansho.manager import live as live_pages


class Message(dict[str, str]):
    """One message of a stream: `event`, `id`, `data`."""

    @property
    def serials(self) -> list[int]:
        return [int(serial) for serial in re.findall(r'data-serial="(\d+)"', self.get("data", ""))]


def messages(answer: httpx.Response) -> Iterator[Message]:
    message = Message()
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            message[name] = message[name] + "\n" + value if name in message else value
        else:
            yield message
            message = Message()


@contextmanager
def stream(
    site: Any, query: str = "", last: int | None = None, path: str = "/events/stream"
) -> Iterator[Iterator[Message]]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with site.client() as client, client.stream("GET", f"{path}?{query}", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer)


def news(stream: Iterator[Message]) -> Message:
    """The next message that moves the stream's place."""
    return next(message for message in stream if "id" in message)


def states(stream: Iterator[Message]) -> Iterator[str]:
    return (message["data"] for message in stream if message.get("event") == "state")


def test_a_stream_begins_where_the_page_ended(console: Any) -> None:
    console.arrive({}, {}, {})
    with stream(console, "after=1") as live:
        assert news(live).serials == [3, 2]


def test_a_new_event_arrives_at_once(console: Any) -> None:
    with stream(console, "after=0") as live:
        assert next(states(live)) == "live"
        console.arrive({"message": "now"})
        message = news(live)
        assert message["id"] == "1"
        assert message.serials == [1]
        assert "now" in message["data"]
        console.arrive({}, {})
        assert news(live).serials == [3, 2]


def test_a_stream_that_broke_goes_on_where_it_was(console: Any) -> None:
    console.arrive({}, {})
    with stream(console, "after=0") as live:
        last = int(news(live)["id"])
    console.arrive({}, {}, {})
    with stream(console, "after=0", last) as live:
        assert news(live).serials == [5, 4, 3]


def test_a_stream_that_saw_all_gets_nothing_twice(console: Any) -> None:
    console.arrive({}, {})
    with stream(console, "after=0", 2) as live:
        assert next(states(live)) == "live"
        console.arrive({})
        assert news(live).serials == [3]


def test_only_what_passes_the_filter_comes_and_the_place_moves_all_the_same(console: Any) -> None:
    with stream(console, "severity=Alert&source=alpha&after=0") as live:
        next(states(live))
        console.arrive({"severity": "Error"}, {"severity": "Alert", "source_server": "beta"})
        message = news(live)
        assert (message["id"], message.serials) == ("2", [])
        console.arrive({"severity": "Alert"}, {"severity": None})
        message = news(live)
        assert (message["id"], message.serials) == ("4", [3])


def test_a_burst_becomes_the_newest_hundred(console: Any) -> None:
    console.arrive(*({} for _ in range(250)))
    with stream(console, "after=0") as live:
        message = news(live)
        assert message.serials == list(range(250, 150, -1))
        assert message["id"] == "250"


def test_what_an_event_says_cannot_end_its_message(console: Any) -> None:
    with stream(console, "after=0") as live:
        next(states(live))
        console.arrive({"message": "a\n\nid: 99\r\rdata: <script>"})
        message = news(live)
        assert message["id"] == "1"
        assert "&lt;script&gt;" in message["data"]
        assert "<script" not in message["data"]


def test_a_wrong_place_is_refused(console: Any) -> None:
    with console.client() as client:
        assert client.get("/events/stream", params={"after": "x"}).status_code == 400
        assert client.get("/events/stream", headers={"Last-Event-ID": "1; drop"}).status_code == 400


def test_a_stream_ends_with_its_session(console: Any) -> None:
    accounts.create(console.host.shared, "leaver", "viewer")
    with (
        httpx.Client(base_url=console.url, cookies=console.cookie("leaver"), timeout=30) as client,
        client.stream("GET", "/events/stream?after=0") as answer,
    ):
        live = messages(answer)
        next(states(live))
        accounts.remove(console.host.shared, "leaver")
        console.arrive({}, {})
        assert [message for message in live if message.serials] == []  # and it ended, or this would not


def test_the_console_outlives_its_database(console: Any) -> None:
    console.arrive({})
    with stream(console, "after=1") as live, console.client() as client:
        says = states(live)
        assert next(says) == "live"
        console.stop_database()
        try:
            assert "away" in says
            assert client.get("/healthz").json() == {"status": "ok", "database": "away"}
            page = client.get("/")
            assert page.status_code == 503
            assert "BSHO5108-E" in page.text
            assert 'http-equiv="refresh"' in page.text
            assert client.get("/api/v1/events").json()["error"].startswith("BSHO5108-E")
            assert not client.get("/api/v1/host").json()["database"]["connected"]
            assert client.get("/host").status_code == 200
        finally:
            console.start_database()
        console.arrive({"message": "after the outage"})
        assert "after the outage" in news(live)["data"]
        assert client.get("/").status_code == 200


def test_it_starts_without_a_database_and_finds_it_later(site: Any) -> None:
    site.stop_database()
    try:
        with site.console(), site.client() as client:
            assert client.get("/").status_code == 503
            site.start_database()
            with stream(site) as live:
                assert "live" in states(live)
            assert client.get("/").status_code == 200
    finally:
        site.stop_database()
        site.start_database()


def test_it_stops_in_order_while_pages_are_live(site: Any) -> None:
    site.clear()
    with site.console() as service, stream(site) as live, stream(site) as other:
        next(live)
        next(other)
        assert service.stop() == 0
        assert list(live)[-1:] in ([], [{"event": "state", "data": "live"}])
    assert "Traceback" not in service.output


def test_the_host_comes_whole_whenever_it_looks_different(console: Any) -> None:
    with stream(console, path="/host/stream") as live:
        shown = (message["data"] for message in live if "event" not in message)
        first = next(shown)
        assert first.startswith('<section class="verdict')
        console.arrive(*({} for _ in range(1234)))
        later = next(text for text in shown if "1,234" in text)
    assert later.startswith('<section class="verdict')
    assert "1,234" not in first


def test_a_host_that_looks_the_same_is_not_sent_again() -> None:
    async def messages() -> list[str | None]:
        looks = iter(["one", "one", "one", "two"])
        feed = live_pages.Feed("")
        streams = live_pages.Streams(feed, None, str)  # type: ignore[arg-type]

        async def look() -> str:
            text = next(looks)
            if text == "two":
                streams.end()
            return text

        return [each.data async for each in streams.host(look, lambda: True) if each.event is None]

    assert asyncio.run(messages()) == ["one", "two"]


def test_the_hosts_stream_says_whether_the_database_answers(console: Any) -> None:
    with stream(console, path="/host/stream") as live:
        assert next(states(live)) == "live"


def test_a_browser_that_takes_nothing_ends_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []

    async def messages() -> AsyncGenerator[ServerSentEvent, None]:
        try:
            while True:
                yield ServerSentEvent(data="x")
        finally:
            ended.append(True)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    monkeypatch.setattr(live_pages, "SEND", 0.01)
    asyncio.run(live_pages.EventStream(messages()).stream_response(send))
    assert ended == [True]


def start_in_vain(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bansho.manager.event_console"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_port_that_is_taken_is_named(site: Any) -> None:
    with socket.create_server(("127.0.0.1", site.host.ports.console)):
        ended = start_in_vain(BANSHO_HOST="watch")
    assert ended.returncode == 1
    assert ended.stderr.startswith("BSHO5113-E logical host watch: cannot listen on 127.0.0.1 port")
    assert len(ended.stderr.splitlines()) == 1


def test_a_key_that_is_missing_is_named(site: Any) -> None:
    key = accounts.session_key_file(site.host.shared)
    content = key.read_bytes()
    try:
        key.unlink()
        assert start_in_vain(BANSHO_HOST="watch").stderr.startswith("BSHO5119-E")
        key.write_bytes(b"short")
        ended = start_in_vain(BANSHO_HOST="watch")
        assert ended.returncode == 1
        assert "only 5 bytes" in ended.stderr
    finally:
        key.write_bytes(content)


def test_a_host_that_is_missing_is_named(site: Any) -> None:
    assert start_in_vain(BANSHO_HOST="").stderr.startswith("BSHO5114-E")
    assert start_in_vain(BANSHO_HOST="nowhere").stderr.startswith("BSHO1002-E")


def test_it_beats_for_its_process_manager(site: Any) -> None:
    path = str(site.run / "beats.notify")
    environment = {**os.environ, "BANSHO_HOST": "watch", "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(path)
        notices.settimeout(30)
        process = subprocess.Popen([sys.executable, "-m", "bansho.manager.event_console"], env=environment)
        try:
            said = {notices.recv(4096) for _ in range(4)}
            assert b"READY=1\nSTATUS=listening" in said
            assert b"WATCHDOG=1" in said
            process.send_signal(signal.SIGTERM)
            while notices.recv(4096) != b"STOPPING=1":
                pass
        finally:
            process.terminate()
            assert process.wait(30) == 0
