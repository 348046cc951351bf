"""`jevsend` and its spool, against a real event service that comes and goes."""

import json
import os
import socket
import subprocess
import threading
from argparse import ArgumentTypeError
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.base.service import Service

from bansho.base.errors import ServiceAway
from bansho.base.sender import DEFAULT_PORT, Sender, Target
from bansho.commands import jevsend
from bansho.events.event import LARGEST_SERIAL, SEVERITIES
from bansho.logicalhost.definition import Ports


class Jevsend:
    """The command with a spool and a token of its own."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.spool = service.house.root / "spool"
        self.environment = os.environ | {"BANSHO_SPOOL": str(self.spool), "BANSHO_TOKEN": service.send}

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.service.house.command("jevsend", *arguments, env=self.environment | environment)

    def waiting(self, target: str = "watch") -> list[str]:
        """The messages in the spool."""
        files = sorted((self.spool / target).glob("*.json"))
        return [json.loads(file.read_bytes())["message"] for file in files]


@pytest.fixture
def jevsend_command(stopped: Service) -> Jevsend:
    return Jevsend(stopped)


def messages(service: Service) -> list[str]:
    return [event["message"] for event in service.everything()]


def test_an_event_is_registered_with_all_that_was_given(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service.start()
    run = jevsend_command(
        "-h", "watch", "-i", "1fff", "-m", "größer", "-e", "PRODUCT_NAME=/X", "-e", "A=b=c", "--severity", "Alert",
        "-s", "web1", "--json",
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["serial"] == 1
    [event] = service.everything()
    assert (event["id"], event["message"], event["severity"], event["reason"]) == ("1FFF", "größer", "Alert", 1)
    assert event["attributes"] == {"PRODUCT_NAME": "/X", "A": "b=c"}
    assert (event["source_server"], event["user_id"]) == ("web1", os.getuid())
    assert event["source_serial"] > 1.7e15
    assert jevsend_command.waiting() == []


def test_each_user_is_a_source_of_its_own(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service.start()
    assert jevsend_command("-h", "watch").returncode == 0
    [event] = service.everything()
    node = os.uname().nodename
    assert event["source_server"] == node if os.geteuid() == 0 else event["source_server"].startswith(f"{node}:")


def test_an_address_needs_no_definition(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service.start()
    run = jevsend_command("-d", f"127.0.0.1:{service.port}", "-m", "direct", BANSHO_ETC="/nonexistent")
    assert (run.returncode, run.stderr) == (0, "")
    [event] = service.everything()
    assert (event["destination_server"], event["reason"]) == ("127.0.0.1", 3)


def test_the_host_is_of_the_environment_where_it_is_left_out(jevsend_command: Jevsend) -> None:
    jevsend_command.service.start()
    assert jevsend_command("-m", "x", JP1_HOSTNAME="watch").returncode == 0
    run = jevsend_command("-m", "x")
    assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO1002-E")
    assert "physical" in run.stderr


def test_events_wait_in_the_spool_and_follow_in_order(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service
    for message in ("one", "two"):
        run = jevsend_command("-h", "watch", "-m", message)
        assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4040-E")
        assert "kept in" in run.stderr
    assert jevsend_command.waiting() == ["one", "two"]
    service.start()
    run = jevsend_command("-h", "watch", "-m", "three", "--json")
    assert run.returncode == 0
    assert json.loads(run.stdout) | {"messages": []} == {
        "return": 0, "serial": 3, "duplicate": False, "spooled": True, "older_sent": 2, "older_refused": 0, "text": "",
        "messages": [],
    }  # fmt: skip
    assert messages(service) == ["one", "two", "three"]
    assert jevsend_command.waiting() == []


def test_json_says_whether_the_event_is_safe_where_it_is_not_registered(jevsend_command: Jevsend) -> None:
    away = jevsend_command("-h", "watch", "-m", "x", "--json")
    assert (away.returncode, json.loads(away.stdout)["spooled"]) == (255, True)
    lost = jevsend_command("-h", "watch", "-m", "x", "--json", BANSHO_SPOOL="/proc/none")
    assert (lost.returncode, json.loads(lost.stdout)["spooled"]) == (255, False)


def test_later_spools_and_sends_nothing(jevsend_command: Jevsend) -> None:
    jevsend_command.service.start()
    run = jevsend_command("-h", "watch", "-m", "x", "--later", "--json")
    assert (run.returncode, json.loads(run.stdout)["spooled"], run.stderr) == (255, True, "")
    assert (messages(jevsend_command.service), jevsend_command.waiting()) == ([], ["x"])
    assert jevsend_command("-h", "watch", "--flush").returncode == 0
    assert messages(jevsend_command.service) == ["x"]


def test_a_products_own_id_is_any(jevsend_command: Jevsend) -> None:
    jevsend_command.service.start()
    assert jevsend_command("-h", "watch", "-i", "3F90").returncode == 255
    assert jevsend_command("-h", "watch", "--product-id", "3F90").returncode == 0
    assert jevsend_command("-h", "watch", "--product-id", "3F90x").returncode == 255
    assert [event["id"] for event in jevsend_command.service.everything()] == ["3F90"]


def test_flush_sends_what_waits(jevsend_command: Jevsend) -> None:
    for message in ("one", "two"):
        jevsend_command("-h", "watch", "-m", message)
    assert jevsend_command("-h", "watch", "--flush").returncode == 255
    jevsend_command.service.start()
    run = jevsend_command("-h", "watch", "--flush")
    assert (run.returncode, run.stdout) == (0, "sent 2 from the spool, 0 refused\n")
    assert messages(jevsend_command.service) == ["one", "two"]


def test_wait_goes_on_until_the_service_is_back(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(jevsend_command, "-h", "watch", "-m", "patient", "--wait", "60")
        while not jevsend_command.waiting():
            pass
        service.start()
        assert run.result().returncode == 0
    assert messages(service) == ["patient"]


def test_wait_ends(jevsend_command: Jevsend) -> None:
    run = jevsend_command("-h", "watch", "-m", "x", "--wait", "0.3")
    assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4040-E")


def test_a_service_that_takes_nothing_in_is_waited_for(jevsend_command: Jevsend) -> None:
    """503 and 507 are no refusals: the event stays."""
    for status in ("503 Service Unavailable", "507 Insufficient Storage", "500 Oops", "200 Nonsense"):
        with answering(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}") as port:
            run = jevsend_command("-d", f"127.0.0.1:{port}", "-m", "x")
        assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4040-E")
        assert jevsend_command.waiting(f"127.0.0.1:{port}") == ["x"]


class answering:  # noqa: N801 - used as a function
    """A server that gives one answer and closes."""

    def __init__(self, answer: str) -> None:
        self._answer = answer.encode()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        line, _ = self._server.accept()
        with line:
            line.recv(65536)
            line.sendall(self._answer)
            line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._server.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._server.close()


def test_an_answer_that_was_lost_makes_no_second_event(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service.start()
    jevsend_command("-h", "watch", "-m", "first")
    [event] = service.everything()
    again = {name: event[name] for name in ("message", "source_server", "source_serial")}
    (jevsend_command.spool / "watch" / f"{event['source_serial']:016d}.json").write_text(json.dumps(again))
    assert jevsend_command("-h", "watch", "--flush").stdout == "sent 1 from the spool, 0 refused\n"
    assert len(service.everything()) == 1


def test_a_malformed_event_is_reported_and_leaves_the_spool(jevsend_command: Jevsend) -> None:
    run = jevsend_command("-h", "watch", "-m", "bad", "-e", "lower=x")  # the service is away: nobody else can tell
    assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4042-E")
    assert jevsend_command.waiting() == []
    jevsend_command("-h", "watch", "-m", "older")
    damaged = next((jevsend_command.spool / "watch").glob("*.json"))
    damaged.write_text(damaged.read_text().replace('"reason"', '"lower"'))
    jevsend_command.service.start()
    run = jevsend_command("-h", "watch", "-m", "good")
    assert (run.returncode, run.stderr.split()[0]) == (0, "BSHO4042-E")
    run = jevsend_command("-h", "watch", "-m", "x" * 1024)
    assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4042-E")
    assert "message" in run.stderr
    assert jevsend_command.waiting() == []
    assert messages(jevsend_command.service) == ["good"]


def test_with_a_wrong_token_the_event_stays(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service.start()
    for token in ("wrong", service.read):
        run = jevsend_command("-h", "watch", "-m", "kept", "--wait", "60", BANSHO_TOKEN=token)
        assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4041-E")
        assert token not in run.stderr
    assert jevsend_command.waiting() == ["kept", "kept"]
    assert jevsend_command("-h", "watch", "--flush").returncode == 0
    assert messages(service) == ["kept", "kept"]


def test_the_token_may_be_in_a_file(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service.start()
    for path, arguments in (
        (service.house.etc / "token", ()),
        (service.house.root / "t", ("--token-file", str(service.house.root / "t"))),
    ):
        path.write_text(f"{service.send}\n")
        assert jevsend_command("-h", "watch", *arguments, BANSHO_TOKEN="").returncode == 0
    run = jevsend_command("-h", "watch", "--token-file", "/nonexistent")
    assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4044-E")


def test_many_at_once_are_all_registered(jevsend_command: Jevsend) -> None:
    service = jevsend_command.service.start()
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda n: jevsend_command("-h", "watch", "-m", str(n)), range(16)))
    assert [run.returncode for run in runs] == [0] * 16
    assert sorted(map(int, messages(service))) == list(range(16))


@pytest.mark.parametrize(
    "arguments",
    [
        ("-i", "2000"),
        ("-i", "3F90"),
        ("-i", "x"),
        ("-i", "-1"),
        ("-i", "80000000"),
        ("-e", "NAME"),
        ("-e", "=x"),
        ("-d", "host:port"),
        ("-d", "host:0"),
        ("-d", "host:65536"),
        ("-d", ""),
        ("--severity", "Bad"),
        ("--wait", "nan"),
        ("--wait", "-1"),
        ("--wait", "soon"),
        ("--unknown",),
        ("surplus",),
        ("-m",),
    ],
)
def test_a_wrong_argument_is_one_line_and_255(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["jevsend", *arguments])
    with pytest.raises(SystemExit) as ended:
        jevsend.main()
    assert ended.value.code == 255
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("BSHO9001-E jevsend: ")


def test_a_spool_that_cannot_be_written_is_named(jevsend_command: Jevsend) -> None:
    jevsend_command.spool.write_text("a file")
    run = jevsend_command("-h", "watch")
    assert (run.returncode, run.stderr.split()[0]) == (255, "BSHO4043-E")


def test_an_address_may_be_given_in_each_form() -> None:
    assert jevsend.address("web1") == ("web1", DEFAULT_PORT)
    assert jevsend.address("web1:80") == ("web1", 80)
    assert jevsend.address("[2001:db8::1]:80") == ("2001:db8::1", 80)
    assert jevsend.address("2001:db8::1") == ("2001:db8::1", DEFAULT_PORT)
    assert jevsend.address("[2001:db8::1]") == ("2001:db8::1", DEFAULT_PORT)
    assert Ports().event_service == DEFAULT_PORT
    assert jevsend.SEVERITIES == SEVERITIES


@given(st.integers(0, 2**32))
def test_only_the_users_ids_are_accepted(number: int) -> None:
    free = number <= 0x1FFF or 0x7FFF8000 <= number <= 0x7FFFFFFF
    with nullcontext() if free else pytest.raises(ArgumentTypeError):
        assert jevsend.event_id(f"{number:x}") == f"{number:X}"


def test_serials_ascend_also_where_the_counter_was_lost(tmp_path: Path) -> None:
    sender = Sender(tmp_path, Target("none", "127.0.0.1", 1, ""))
    serials = [sender.put({"n": n}).serial for n in range(50)]
    (tmp_path / "counter").unlink()
    serials += [sender.put({}).serial]
    (tmp_path / "counter").write_text("nonsense")
    serials += [sender.put({}).serial]
    ahead = serials[-1] + 10**12
    (tmp_path / "counter").write_text(f"{ahead:016d}")  # the clock was set back
    serials += [sender.put({}).serial]
    assert serials == sorted(set(serials))
    assert serials[-1] == ahead + 1 < LARGEST_SERIAL
    with pytest.raises(ServiceAway, match="kept in"):
        sender.deliver(None)
    assert len(list((tmp_path / "none").glob("*.json"))) == 53
