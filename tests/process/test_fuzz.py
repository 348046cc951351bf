"""Whatever stands in a file or comes through a socket: never a traceback, never a hang, never a wrong 0."""

import asyncio
import itertools
import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.commands.suites import Suite, eventually, service, steady, suite_in
from tests.house import House

from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition as hosts
from bansho.process import definition, record
from bansho.process.notifysocket import NotifySocket
from bansho.process.orders import REQUEST_BYTES

FIXTURES = [HealthCheck.function_scoped_fixture]
PATIENCE = 30.0
"""Seconds until an answer counts as none."""
HOST = """\
name = "watch"
address = "192.0.2.10/24"
shared-directory = "/shared/watch"
suites = ["base", "manager"]
[disk]
device = "/dev/sdb1"
mount-point = "/shared"
[ports]
event-service = 7710
[events]
keep-days = 30
[limits]
start = 60
[cluster]
nodes = ["a", "b"]
deep-interval = 0.5
push = false
[cluster.limits]
deep-monitor = 90
"""
SUITE = """\
suite = "base"
on-service-failure = "stop-all"
[[service]]
name = "one"
command = ["{python}", "-m", "one"]
watchdog = 10.0
environment = { NAME = "value" }
[[service]]
name = "two"
command = ["two"]
after = ["one"]
"""
PIECES = [
    '"',
    "'",
    '"""',
    "=",
    "[",
    "]",
    "[[service]]",
    "{",
    "}",
    "\n",
    "#",
    ".",
    "-1",
    "1e999",
    "nan",
    "true",
    "\\u0000",
]
PIECES += ["after = ['two']", "1979-05-27", "0x", "\ufeff", "\0", "é", "restart = 1", "name = ''", "command = []"]


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> str:
    """`text` with some places cut out or something put in."""
    for _ in range(draw(st.integers(1, 3))):
        at, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        put = draw(st.sampled_from(PIECES) | st.text(max_size=5))
        text = text[:at] + put + text[draw(st.sampled_from([at, end])) :]
    return text


DEEP = "a = " + "[" * 5000


@given(spoilt(HOST) | st.text())
@example(DEEP)
def test_a_definition_is_read_or_refused(text: str) -> None:
    with suppress(BanshoError):
        assert hosts.parse(text, Path("watch.toml")).name


@given(spoilt(SUITE) | st.text())
@example(DEEP)
def test_a_suite_file_is_read_or_refused(text: str) -> None:
    with suppress(BanshoError):
        assert definition.parse(text, Path("base.toml"), "base", logical=True).suite == "base"


@given(spoilt(record.render(record.Record(0, "boot", 1, 2, 3, "all running", '{"a": 1}'))) | st.text())
@example("bansho-record 1 0 boot 1 2 3\ntext\n" + '{"a":' * 5000 + "}\n")
def test_a_record_is_read_or_damaged(text: str) -> None:
    with suppress(record.Damage):
        assert isinstance(record.details(record.parse(text)), dict)


@pytest.fixture
def running(house: House) -> Iterator[Suite]:
    """A suite that runs."""
    house.define()
    for suite in suite_in(house):
        suite.write(steady("one"))
        suite.start()
        yield suite


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def ask(suite: Suite, data: bytes) -> bytes:
    """All that the process manager answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(suite.folder / "control.sock"))
        said = b""
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while received := connection.recv(4096):
                said += received
    return said


orders = st.fixed_dictionaries(
    {"op": st.sampled_from(["detail", "start", "", "restart"]) | st.integers() | st.none()},
    optional={"timeout": st.floats(allow_nan=False) | st.text(max_size=3) | st.just(1e400), "more": st.none()},
)
lines = st.binary(max_size=200) | orders.map(lambda order: json.dumps(order).encode() + b"\n")


def test_the_control_socket_takes_anything(running: Suite) -> None:
    pid, before = running.manager, descriptors(running.manager)

    @settings(max_examples=150, deadline=None, suppress_health_check=FIXTURES)
    @given(lines)
    @example(b'{"op": "detail"}' + b" " * 100_000 + b"\n")
    @example(b"[" * 50_000 + b"\n")
    @example(b'{"op": "detail", "timeout": 1e400}\n')
    def search(line: bytes) -> None:
        said = ask(running, line).splitlines()
        assert said or len(line) > REQUEST_BYTES
        for answer in said:
            assert {"done", "error", "progress"} & json.loads(answer).keys()

    search()
    assert json.loads(ask(running, b'{"op": "detail"}\n'))["value"] == 0
    assert (running.manager, running.value) == (pid, 0)
    assert descriptors(pid) <= before + 2, "the lease's keeper may have its file open"
    assert "Traceback" not in (running.folder / "spmd.log").read_text()


def order(op: str, timeout: float = 60) -> bytes:
    return json.dumps({"op": op, "timeout": timeout}).encode() + b"\n"


words = st.builds(order, st.sampled_from(["start", "stop", "reload", "detail"]), st.sampled_from([0, 0.1, 60]))
together = st.lists(words | lines, min_size=2, max_size=6)


def all_at_once(suite: Suite, sent: list[bytes]) -> None:
    """Says each on a connection of its own, and then listens; who comes after the end finds nobody."""
    with ThreadPoolExecutor(len(sent)) as pool:
        for answer in pool.map(lambda line: asked(suite, line), sent):
            for said in answer.splitlines():
                assert {"done", "error", "progress"} & json.loads(said).keys()


def asked(suite: Suite, line: bytes) -> bytes:
    with suppress(FileNotFoundError, ConnectionRefusedError):
        return ask(suite, line)
    return b""


def test_orders_among_rubbish(running: Suite) -> None:
    """A stop and a start among the rest go on, whatever stands beside them: then it is up or down as a whole."""

    @settings(max_examples=10, deadline=None, suppress_health_check=FIXTURES)
    @given(together)
    @example([order("stop"), b"\xff\n", order("reload"), b'{"op": "stop", "timeout": "x"}\n', order("stop", 0)])
    @example([order("reload"), b"{", order("detail"), order("reload", 0)])
    def search(sent: list[bytes]) -> None:
        all_at_once(running, sent)
        eventually(lambda: running.value in {0, 8})
        assert running.value == 0 or any(b'"stop"' in line for line in sent)
        assert running.start().stdout == "base on watch: all running\n"
        assert "Traceback" not in (running.folder / "spmd.log").read_text()

    search()


def test_a_connection_that_says_nothing_holds_up_nobody(running: Suite) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.connect(str(running.folder / "control.sock"))
        mute.sendall(b'{"op": "stop"')
        assert json.loads(ask(running, b'{"op": "detail"}\n'))["value"] == 0
        assert running.stop().stdout == "base on watch: all stopped\n"


messages = st.lists(
    st.binary(max_size=300) | st.sampled_from([b"READY=1", b"READY=1\n\xff", b"", b"A" * 9000, b"STATUS=\x1b[2J\n"]),
    min_size=1,
    max_size=5,
)


@settings(max_examples=50, deadline=None, suppress_health_check=FIXTURES)
@given(messages)
def test_the_notify_socket_takes_anything(tmp_path: Path, sent: list[bytes]) -> None:
    async def exchange() -> list[tuple[int, list[str]]]:
        received: list[tuple[int, list[str]]] = []
        listener = NotifySocket(
            tmp_path / "s", os.getuid(), os.getgid(), lambda pid, lines: received.append((pid, lines))
        )
        before = descriptors(os.getpid())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(tmp_path / "s"))
            for message in sent:
                socket.send_fds(sender, [message], [0])
        listener.read()
        assert descriptors(os.getpid()) == before, "what is passed along is not kept"
        listener.close()
        return received

    received = asyncio.run(exchange())
    assert [pid for pid, _ in received] == [os.getpid()] * len(sent)
    assert [lines for _, lines in received] == [each[:4096].decode(errors="replace").split("\n") for each in sent]


def test_a_real_services_socket_takes_anything(running: Suite) -> None:
    """From one of its own processes, a descriptor with each message; and from somebody else, who is not listened to."""
    fifo, numbers = running.gate("relay"), itertools.count()
    running.write(steady("one"), service("says", "ready", f"relay={fifo}", "wait"))
    assert running.reload().returncode == 0
    with fifo.open("w") as relay, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.connect(str(running.folder / "notify" / "says"))
        pid, before = running.manager, descriptors(running.manager)

        @settings(max_examples=40, deadline=None, suppress_health_check=FIXTURES)
        @given(messages)
        def search(sent: list[bytes]) -> None:
            for message in (*sent, b"STOPPING=1", b"STATUS=not mine"):
                socket.send_fds(stranger, [message], [0])
            last = f"message {next(numbers)}"
            relay.write("".join(f"{message.hex()}\n" for message in (*sent, f"STATUS={last}".encode())))
            relay.flush()
            eventually(lambda: running.services()["says"]["status"] == last)
            assert (running.manager, running.value) == (pid, 0)

        search()
        assert descriptors(pid) <= before + 2, "the lease's keeper may have its file open"
        assert "Traceback" not in (running.folder / "spmd.log").read_text()
