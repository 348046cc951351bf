"""Re-reading the process definitions."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands.suites import Suite, eventually, service, steady


def test_new_services_start_and_dropped_ones_stop(base: Suite, mechanism: str) -> None:
    base.write(steady("kept"), service("dropped", "escapee=setsid+orphan+ignore", "ready", "wait"))
    base.start()
    assert len(of_service(base, "dropped")) == 2
    kept = base.pid("kept")
    base.write(steady("kept"), steady("new", after=["kept"]))
    ended = base.reload()
    assert ended.returncode == 0
    assert "BSHO2111-I" in ended.stderr
    base.wait_for_service("new", "ready")
    eventually(lambda: set(base.services()) == {"kept", "new"})
    assert (base.value, base.pid("kept")) == (0, kept)
    assert of_service(base, "dropped") == set()
    assert not (base.folder / "notify" / "dropped").exists()


def of_service(suite: Suite, name: str) -> set[int]:
    return {pid for pid, process in suite.processes().items() if process.service == name}


def test_a_service_that_is_switched_off_stops(base: Suite) -> None:
    base.write(steady("one"), service("two", "ready", "wait"))
    base.start()
    base.write(steady("one"), service("two", "ready", "wait", enabled=False))
    assert base.reload().returncode == 0
    eventually(lambda: set(base.services()) == {"one"})
    assert base.value == 0


def test_a_mistake_changes_nothing(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    pid = base.pid("one")
    base.write(steady("one"), steady("two", after=["ghost"]))
    ended = base.reload()
    assert ended.returncode == 1
    assert "BSHO2002-E" in ended.stderr
    assert "ghost" in ended.stderr
    assert (base.value, base.pid("one")) == (0, pid)


def test_without_a_process_manager(base: Suite) -> None:
    base.write(steady("one"))
    ended = base.reload()
    assert ended.returncode == 1
    assert "BSHO2011-E" in ended.stderr
    assert "jbs_start.cluster watch" in ended.stderr


def test_what_changes_is_told_by_service_and_key(base: Suite) -> None:
    trace = base.house.root / "trace"
    base.write(service("one", "ready", "wait") + 'environment = { A = "1" }\n', steady("two", start_limit=30))
    base.start()
    pids = (base.pid("one"), base.pid("two"))
    one = service("one", f"trace={trace}", "ready", "wait", stop_limit=20) + 'environment = { A = "secret" }\n'
    base.write(one, steady("two", start_limit=40), steady("new"), on_service_failure='"stop-all"')
    told = base.reload().stderr.splitlines()
    assert [line for line in told if line.startswith("BSHO2115-I")] == [
        'BSHO2115-I base on watch: the suite: on-service-failure becomes "stop-all", it was "report", at once',
        "BSHO2115-I base on watch: service one: stop-limit becomes 20.0, it was 10.0, at once",
        "BSHO2115-I base on watch: service new starts, at once",
    ]
    later = [line for line in told if line.startswith("BSHO2116-W")]
    assert [line.split(" becomes ")[0].removeprefix("BSHO2116-W base on watch: service ") for line in later] == [
        "one: command",
        "one: environment.A changes; that counts from its next start on",
        "two: start-limit",
    ]
    assert "secret" not in "".join(told)
    base.wait_for_service("new", "ready")
    assert (base.pid("one"), base.pid("two")) == pids
    again = json.loads(base.reload("--json").stdout)
    assert (again["return"], again["text"]) == (0, "base on watch: all running")
    assert [(change["service"], change["key"], change["applied"]) for change in again["changes"]] == [
        ("one", "command", "at its next start"),
        ("one", "environment.A", "at its next start"),
        ("two", "start-limit", "at its next start"),
    ]
    base.stop()
    base.start()
    assert "one ready" in trace.read_text()
    assert "BSHO2117-I" in base.reload().stderr


def test_a_watchdog_that_a_running_service_does_not_know_of_is_not_missed(base: Suite) -> None:
    """It beats as often as it was told when it started."""
    base.write(service("one", "ready", "beat=0.05", "wait", watchdog=30))
    base.start()
    base.write(
        service("one", "ready", "beat=0.05", "wait", watchdog=0.001), service("new", "sleep=0.5", "ready", "wait")
    )
    assert "service one: watchdog becomes 0.001, it was 30.0; that counts from its next start" in base.reload().stderr
    base.wait_for_service("new", "ready")
    log = base.folder / "spmd.log"
    base.stop()
    assert '"state": "hung"' not in log.read_text()


@pytest.mark.usefixtures("as_root")
def test_another_user_from_the_next_start_on(base: Suite) -> None:
    base.house.root.chmod(0o755)
    base.house.define(kind='"physical"')
    base.write(steady("one", restart=1, restart_interval=0))
    base.start()
    base.write(steady("one", restart=1, restart_interval=0, user="nobody"))
    assert 'service one: user becomes "nobody", it was null' in base.reload().stderr
    assert Path(f"/proc/{base.pid('one')}").stat().st_uid == 0
    first = base.pid("one")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: base.services()["one"]["pid"] not in {None, first})
    base.wait_for(0)
    assert Path(f"/proc/{base.pid('one')}").stat().st_uid == 65534


def test_a_reload_while_the_suite_starts_waits_for_the_lease(base: Suite) -> None:
    """The lease of a node that just stopped beating is watched for a while; no service may start meanwhile."""
    base.write(steady("one"))
    base.start()
    base.stop()
    program = Path(__file__).with_name("other_node.py")
    with subprocess.Popen([sys.executable, program, base.host], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        other.kill()
    start = base.popen("start.cluster")
    eventually((base.folder / "record").exists)
    assert base.reload().returncode == 0
    assert start.communicate()[0] == "base on watch: all running\n"
    variables = Path(f"/proc/{base.pid('one')}/environ").read_bytes().split(b"\0")
    assert b"BANSHO_EPOCH=3" in variables


def test_a_reload_starts_nothing_in_a_suite_that_is_being_stopped(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("slow", f"term-gate={gate}", "ready", "wait"))
    base.start()
    stop = base.popen("stop.cluster")
    base.wait_for_service("slow", "stopping")
    base.write(service("slow", f"term-gate={gate}", "ready", "wait"), steady("new"))
    assert base.reload().returncode == 0
    gate.write_text("go")
    assert stop.communicate()[0] == "base on watch: all stopped\n"
    assert '"service": "new", "state": "starting"' not in (base.folder / "spmd.log").read_text()
