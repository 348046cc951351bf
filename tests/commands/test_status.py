"""Operation monitoring: every value of CONTRACT 3.2, each from its real cause."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.commands.suites import Suite, eventually, service, steady
from tests.house import COMMANDS, House

from bansho.contract import limits
from bansho.process import identity, record
from bansho.process.spawning import HELD


def test_all_running_and_all_stopped(base: Suite) -> None:
    base.write(steady("one"), steady("two"))
    assert base.status().stdout == "base on watch: all stopped\n"
    assert base.value == 8
    base.start()
    assert base.status().stdout == "base on watch: all running\n"
    assert base.value == 0
    base.stop()
    assert base.value == 8


def test_an_empty_suite_is_refused_and_never_all_running(base: Suite) -> None:
    base.write()
    ended = base.start()
    assert (ended.returncode, base.value) == (0, 8)
    assert "expected at least one that is enabled" in ended.stderr


def test_a_death_is_seen(base: Suite) -> None:
    base.write(steady("one"), service("two", "ready", "wait"))
    base.start()
    os.kill(base.pid("two"), signal.SIGKILL)
    base.wait_for(4)
    assert base.status().stdout == "base on watch: partially stopped: two failed (was killed by signal 9)\n"


def test_an_end_without_a_fault_right_after_ready_is_no_running_service(base: Suite) -> None:
    base.write(service("one", "ready", "exit=0"))
    base.start()
    base.wait_for(4)
    assert "one failed (ended with status 0)" in base.status().stdout


def test_a_start_is_retry_until_its_limit_then_counts_as_not_running(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("slow", f"gate={gate}", "ready", "wait", start_limit=1), steady("one"))
    base.popen("start.cluster", "--timeout", "0.1").communicate()
    base.wait_for(12)
    base.wait_for(4)
    assert base.services()["slow"]["state"] == "overdue"
    assert base.services()["slow"]["pid"] is not None, "it is left alone"
    gate.write_text("go")
    base.wait_for(0)


def test_the_manager_has_its_lock_where_the_front_looks_for_it(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    held = [Path(f"/proc/{pid}/fd/{HELD}") for pid in (base.manager, base.pid("one"))]
    assert held[0].samefile(base.folder / "spmd.lock")
    assert not held[1].exists(), "a service does not inherit it"


def test_ready_twice_is_ready_once(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("one", "ready", f"gate={gate}", "ready", "status=again", "wait"))
    base.start()
    again = time.time()
    gate.write_text("go")
    eventually(lambda: base.services()["one"]["status"] == "again")
    assert (base.value, base.services()["one"]["state"]) == (0, "ready")
    # Each record has it from two clocks: never too early, and too late by as long as there was between the two looks.
    eventually(lambda: float(base.services()["one"]["since"]) < again)
    assert (base.folder / "spmd.log").read_text().count('"state": "ready"') == 1


def test_a_service_that_hangs_counts_as_not_running_until_it_beats_again(base: Suite) -> None:
    base.write(service("beating", "ready", "beat=0.05", "wait", watchdog=0.6))
    base.start()
    assert base.value == 0
    pid = base.pid("beating")
    os.kill(pid, signal.SIGSTOP)
    base.wait_for(4)
    assert base.services()["beating"]["state"] == "hung"
    os.kill(pid, signal.SIGCONT)
    base.wait_for(0)
    assert base.pid("beating") == pid


def test_a_service_that_says_it_is_stopping(base: Suite) -> None:
    base.write(service("leaving", "ready", "stopping", "wait", stop_limit=0.5))
    base.start("--timeout", "0.1")
    base.wait_for_service("leaving", "overdue")
    assert base.value == 4


def test_nobody_else_can_report_ready(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("slow", f"gate={gate}", "ready", "wait"))
    base.start("--timeout", "0.1")
    base.wait_for_service("slow", "starting")
    liar = "import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['S'])"
    subprocess.run([sys.executable, "-c", liar], env={"S": f"{base.folder}/notify/slow"}, check=True)
    assert base.value == 12
    gate.write_text("go")
    base.wait_for(0)


def test_a_child_of_the_service_can(base: Suite) -> None:
    base.write(
        '[[service]]\nname = "one"\ncommand = ["sh", "-c", '
        + json.dumps(f"(exec {' '.join(actor_command('ready', 'wait'))}) & wait")
        + "]\n"
    )
    base.start()
    assert base.value == 0


def actor_command(*acts: str) -> list[str]:
    command: list[str] = json.loads(service("x", *acts).splitlines()[2].removeprefix("command = "))
    return command


def test_a_frozen_manager_is_retry_then_failure(base: Suite) -> None:
    """The node stands still, so its service does too: that has what was left of its time when the manager goes on."""
    base.write(service("one", "ready", "beat=0.05", "wait", watchdog=WATCHDOG))
    base.start()
    pid = base.pid("one")
    os.kill(pid, signal.SIGSTOP)
    os.kill(base.manager, signal.SIGSTOP)
    eventually(lambda: base.value != 0)
    assert base.value == 12
    age_record(base, (limits.LOST_BEATS - limits.STALE_BEATS) * limits.BEAT)
    assert base.value == 1
    assert "has not beaten" in base.status().stdout
    awoke = time.time()
    os.kill(base.manager, signal.SIGCONT)
    base.wait_for_service("one", "hung")
    assert base.services()["one"]["since"] > awoke + WATCHDOG / 4
    os.kill(pid, signal.SIGCONT)
    base.wait_for(0)


WATCHDOG = 0.8
"""Seconds: shorter than it takes a record to go stale."""


def age_record(suite: Suite, seconds: float) -> None:
    """Makes the record look older than it is, at most as old as the boot: its manager is frozen and does not write."""
    path = suite.folder / "record"
    found = record.read(path)
    assert found is not None
    record.write(path, found._replace(until=max(0, found.until - round(seconds * 100))))


def test_a_dead_manager_with_living_services(base: Suite, mechanism: str) -> None:
    base.write(steady("one"))
    base.start()
    pid = base.pid("one")
    base.kill_manager()
    assert base.value == 4
    assert f"(pid {pid})" in base.status().stdout
    os.kill(pid, signal.SIGKILL)
    base.wait_for(8)


def test_a_dead_manager_whose_services_hide(base: Suite, mechanism: str) -> None:
    base.write(service("one", "escapee=setsid+orphan+cleared+renamed", "ready", "exit=0"))
    base.start()
    base.wait_for(4)
    base.kill_manager()
    assert base.value == 4
    assert base.killall().returncode == 0
    assert base.value == 8


OTHER_BOOT = "11111111-2222-3333-4444-555555555555"


def test_what_an_older_boot_left_is_nothing(base: Suite) -> None:
    """The whole folder as a power loss leaves it, where it survives that: record, locks, sockets, control group."""
    base.write(steady("one"))
    base.start()
    left = base.house.root / "left"
    shutil.copytree(base.folder, left, ignore=shutil.ignore_patterns("*.sock", "one"))
    base.killall()
    shutil.copytree(left, base.folder, dirs_exist_ok=True)
    path = base.folder / "record"
    path.write_text(path.read_text().replace(identity.boot_id(), OTHER_BOOT))
    (base.folder / "cgroup").write_text("/sys/fs/cgroup/bansho.watch.base.00000000\n")
    for name in ("control.sock", "notify/one"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
            dead.bind(str(base.folder / name))
    assert base.value == 8
    assert base.stop().stdout == "base on watch: all stopped\n"
    assert base.value == 8
    assert "BSHO2011-E" in base.reload().stderr
    assert base.start().stdout == "base on watch: all running\n"
    assert base.value == 0


def test_a_record_of_another_boot_is_nothing(base: Suite) -> None:
    base.write()
    base.folder.mkdir(parents=True)
    alien = record.own(0, "all running", {})._replace(boot_id=OTHER_BOOT)
    record.write(base.folder / "record", alien)
    assert base.value == 8


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"bansho-record 1 0\n", b"x" * 100_000])
def test_a_damaged_record(base: Suite, content: bytes) -> None:
    base.write(steady("one"))
    base.start()
    os.kill(base.manager, signal.SIGSTOP)
    (base.folder / "record").write_bytes(content)
    assert base.value == 1
    assert "damaged" in base.status().stdout


def test_the_shared_directory_not_available(base: Suite) -> None:
    base.write(steady("one"))
    (base.house.shared / "conf").rename(base.house.shared / "away")
    assert base.value == 1
    assert "BSHO1005-E" in base.status().stdout
    assert not base.folder.exists(), "a standby writes nothing"


def test_the_shared_directory_gone_while_it_runs(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    (base.house.shared / "conf").rename(base.house.shared / "away")
    base.wait_for(1)
    assert "the shared directory does not answer" in base.status().stdout
    (base.house.shared / "away").rename(base.house.shared / "conf")
    base.wait_for(0)


def test_another_node_took_the_lease_over(base: Suite) -> None:
    """The old owner was frozen; when it wakes up, its living services are killed at once and the value is 1."""
    base.write(steady("one"), service("dead", "ready", "exit=3"))
    base.start()
    base.wait_for_service("dead", "failed")
    pid, manager = base.pid("one"), base.manager
    os.kill(manager, signal.SIGSTOP)
    program = Path(__file__).with_name("other_node.py")
    with subprocess.Popen([sys.executable, program, base.host], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        os.kill(manager, signal.SIGCONT)
        base.wait_for_service("one", "failed")
        assert base.value == 1
        assert "another node took the shared directory over" in base.status().stdout
        assert not Path(f"/proc/{pid}").exists()
        assert base.stop().stdout == "base on watch: all stopped\n"
        assert base.value == 1
        other.communicate("")


def test_a_shared_disk_that_hangs_is_a_time_out(base: Suite) -> None:
    """A fifo without a writer hangs whoever opens it, as a dead disk does."""
    base.write()
    os.mkfifo(base.house.shared / "lease")
    ended = base.status("-t", "1")
    assert ended.returncode == 12
    assert "not found out within 1 s" in ended.stdout
    assert base.status("-t", "0").returncode == 12
    (base.house.shared / "lease").unlink()


def test_many_at_once_beside_other_commands(base: Suite) -> None:
    def values() -> set[int]:
        with ThreadPoolExecutor(50) as pool:
            return set(pool.map(lambda _: base.value, range(50)))

    base.write(steady("one"))
    start = base.popen("start.cluster")
    assert values() <= {8, 12, 0}
    start.communicate()
    assert values() == {0}
    path = base.house.shared / "conf" / "base.toml"
    path.unlink()
    os.mkfifo(path, 0o600)
    reload = subprocess.Popen([COMMANDS / "jbs_spmd_reload", "-h", base.host], stderr=subprocess.DEVNULL)
    with path.open("w") as file:  # as soon as it reads, and until this ends
        assert values() == {0}
        assert reload.poll() is None, "it is still under way"
        file.write(f'suite = "base"\n{steady("one", stop_limit=20)}')
    assert reload.wait() == 0
    stop = base.popen("stop.cluster")
    assert values() <= {0, 12, 8}
    stop.communicate()
    assert base.value == 8


WRONG = {
    "unknown host": ["-h", "nowhere"],
    "empty name": ["-h", ""],
    "name with a slash": ["-h", "../watch"],
    "too long a name": ["-h", "a" * 64],
    "no name": ["-h"],
    "no seconds": ["-t"],
    "seconds that are none": ["-h", "watch", "-t", "soon"],
    "negative": ["-h", "watch", "-t", "-1"],
    "too many": ["-h", "watch", "-t", "32768"],
    "empty seconds": ["-h", "watch", "-t", ""],
    "other digits": ["-h", "watch", "-t", "٣"],
    "unknown option": ["-h", "watch", "--quick"],
    "abbreviated option": ["-h", "watch", "--js"],
    "a word too many": ["-h", "watch", "base"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_argument_errors(house: House, arguments: list[str]) -> None:
    house.define()
    ended = house.command("jbs_spmd_status", *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("BSHO")
    assert ended.stderr.count("\n") == 1


def test_a_suite_that_the_host_does_not_run(house: House) -> None:
    house.define(suites='["base"]')
    ended = house.command("jco_spmd_status", "-h", "watch")
    assert ended.returncode == 1
    assert "BSHO9002-E" in ended.stderr


def test_the_host_from_the_environment(base: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    base.write(steady("one"))
    base.start()
    monkeypatch.setenv("JP1_HOSTNAME", "watch")
    assert base.house.command("jbs_spmd_status").returncode == 0
    assert base.house.command("jbs_spmd_status", "-t", "5").returncode == 0
    monkeypatch.setenv("JP1_HOSTNAME", "elsewhere")
    assert base.house.command("jbs_spmd_status").returncode == 1
    assert base.house.command("jbs_spmd_status", "-h", "watch").returncode == 0
    monkeypatch.setenv("JP1_HOSTNAME", "")
    assert base.house.command("jbs_spmd_status").returncode == 1, "the physical host is not defined here"


def test_help_teaches(house: House) -> None:
    ended = house.command("jbs_spmd_status", "--help")
    assert ended.returncode == 0
    assert "12  recoverable by retrying" in ended.stdout


def test_json(base: Suite) -> None:
    base.write(steady("one"))
    stopped = json.loads(base.status("--json").stdout)
    assert (stopped["return"], stopped["value"], stopped["meaning"]) == (8, 8, "all stopped")
    base.start()
    answer = json.loads(base.status("--json").stdout)
    assert (answer["return"], answer["host"], answer["suite"]) == (0, "watch", "base")
    assert [each["state"] for each in answer["services"]] == ["ready"]


STREAMS = {"full": ">/dev/full", "closed": ">&-", "both closed": ">&- 2>&-"}


@pytest.mark.parametrize("streams", STREAMS.values(), ids=STREAMS.keys())
@pytest.mark.parametrize("extra", ["", " --json"])
def test_a_stream_that_cannot_be_written_changes_no_value(base: Suite, streams: str, extra: str) -> None:
    def value(command: str) -> int:
        return subprocess.run(["sh", "-c", f"{COMMANDS}/{command}{extra} {streams}"], check=False).returncode

    base.write(steady("one"))
    assert value("jbs_spmd_status -h watch") == 8
    assert value("jbs_start.cluster watch") == 0
    assert value("jbs_spmd_status -h watch") == 0
    assert value("jbs_start.cluster nobody") == 1
    assert value("jbs_stop.cluster watch") == 0
    assert value("jbs_killall.cluster watch") == 0


def test_json_of_a_record_whose_details_are_spoilt(base: Suite) -> None:
    """The value stands in its first line, and is the same with and without --json."""
    base.write(steady("one"))
    base.start()
    os.kill(base.manager, signal.SIGSTOP)
    path = base.folder / "record"
    head, text, document = path.read_text().splitlines()
    for spoilt in (document.replace(":", "="), '{"a":' * 5000 + "}"):
        path.write_text("\n".join((head, text, spoilt, "")))
        ended = base.status("--json")
        assert ended.stderr == ""
        answer = json.loads(ended.stdout)
        assert answer["return"] == ended.returncode == base.value
        assert "services" not in answer
