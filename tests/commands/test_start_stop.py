"""Start and stop (CONTRACT 3.1), by the real commands on suites of small real programs."""

import json
import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from tests.commands.suites import Suite, eventually, service, steady
from tests.house import House

from bansho.process import control, identity, spawning
from bansho.process.control import Order
from bansho.process.folder import Folder


def traced(path: Path, name: str, *acts: str, **keys: object) -> str:
    return service(name, f"trace={path}", *acts, "ready", "wait", **keys)


def test_a_suite_starts_in_order_and_stops_the_other_way_round(base: Suite) -> None:
    trace = base.house.root / "trace"
    base.write(
        traced(trace, "console", after=["events", "database"]),
        traced(trace, "events", after=["database"]),
        traced(trace, "database"),
    )
    started = base.start()
    assert "BSHO2101-I" in started.stderr
    assert (started.returncode, base.value) == (0, 0)
    assert started.stdout == "base on watch: all running\n"
    assert base.stop().returncode == 0
    assert trace.read_text().split("\n") == [
        *(f"{name} {word}" for name in ("database", "events", "console") for word in ("start", "ready")),
        *(f"{name} stop" for name in ("console", "events", "database")),
        "",
    ]


def test_independent_services_start_side_by_side(base: Suite) -> None:
    """Each becomes ready only once the other has been started: one after the other would never end."""
    meet = base.house.root / "meet"
    os.mkfifo(meet)
    wait = ["sh", "-c", f'cat <"{meet}"; exec {ready()}']
    send = ["sh", "-c", f'echo >"{meet}"; exec {ready()}']
    base.write(
        *(
            f'[[service]]\nname = "{name}"\ncommand = {json.dumps(way)}\n'
            for name, way in zip("ab", (wait, send), strict=True)
        )
    )
    assert base.start("--timeout", "10").returncode == 0
    assert base.value == 0


def ready() -> str:
    return " ".join(json.loads(service("x", "ready", "wait").splitlines()[2].removeprefix("command = ")))


def test_nothing_is_left_after_a_stop(base: Suite, mechanism: str) -> None:
    base.write(steady("one"), service("two", "escapee=setsid+orphan+cleared", "ready", "wait"))
    base.start()
    assert len(base.processes()) >= 4
    group = (base.folder / "cgroup").read_text().strip()
    assert bool(group) == (mechanism == "control group")
    living = base.processes()
    assert base.stop().returncode == 0
    assert not any(identity.lives(pid, process.stat.ticks) for pid, process in living.items())
    assert {path.name for path in base.folder.iterdir()} == {"notify", "order.lock", "spmd.lock", "spmd.log", "well"}
    assert list((base.folder / "notify").iterdir()) == []
    assert not group or not Path(group).exists()
    assert base.value == 8


def test_nothing_is_left_although_the_guardian_was_killed(base: Suite, mechanism: str) -> None:
    base.write(steady("one"))
    base.start()
    group = (base.folder / "cgroup").read_text().strip()
    manager = identity.stat(base.manager)
    assert manager is not None
    os.kill(manager.parent, signal.SIGKILL)
    assert base.value == 0
    assert base.stop().stdout == "base on watch: all stopped\n"
    assert base.processes() == {}
    assert not group or not Path(group).exists()
    assert base.value == 8


def test_a_stop_does_not_wait_for_a_guardian_that_stands_still(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    manager = identity.stat(base.manager)
    assert manager is not None
    os.kill(manager.parent, signal.SIGSTOP)
    assert base.value == 0
    assert base.stop("--timeout", "20").stdout == "base on watch: all stopped\n"
    assert base.processes() == {}
    assert base.value == 8


def test_start_and_stop_twice_change_nothing(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    pids = (base.manager, base.pid("one"))
    again = base.start()
    assert (again.returncode, again.stdout) == (0, "base on watch: all running\n")
    assert (base.manager, base.pid("one")) == pids
    base.stop()
    again = base.stop()
    assert (again.returncode, again.stdout) == (0, "base on watch: all stopped\n")
    assert base.value == 8


def test_a_second_start_joins_the_first_ones_wait(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("one", f"gate={gate}", "ready", "wait"))
    starts = [base.popen("start.cluster", "--timeout", "20") for _ in range(3)]
    base.wait_for(12)
    gate.write_text("go")
    assert [start.communicate()[0] for start in starts] == ["base on watch: all running\n"] * 3
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert sum(process.is_manager for process in base.processes().values()) == 2, "one process manager, one guardian"


def test_a_start_that_takes_too_long_goes_on(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("slow", "status=recovering", f"gate={gate}", "ready", "wait"), steady("next", after=["slow"]))
    first = base.popen("start.cluster")
    eventually(lambda: (base.folder / "record").exists() and bool(base.services()))
    eventually(lambda: base.services()["slow"]["status"] == "recovering")
    ended = base.start("--timeout", "1")
    assert ended.returncode == 0
    assert "BSHO2103-W" in ended.stderr
    assert "slow starting (recovering) for " in ended.stderr
    assert "next waiting" in ended.stderr
    assert base.value == 12
    gate.write_text("go")
    assert first.communicate()[0] == "base on watch: all running\n"


def test_a_start_with_a_service_that_is_overdue_is_not_over_while_another_one_is_under_way(base: Suite) -> None:
    gate = base.gate("gate")
    late, patient = (
        service(name, f"gate={gate}", "ready", "wait", start_limit=s) for name, s in (("a", 0.2), ("b", 60))
    )
    base.write(late, patient)
    base.popen("start.cluster", "--timeout", "0.1").communicate()
    base.wait_for_service("a", "overdue")
    ended = base.start("--timeout", "1")
    assert "BSHO2103-W" in ended.stderr
    assert "outstanding: a overdue for " in ended.stderr
    assert "b starting for " in ended.stderr
    assert base.value == 4


def test_a_stop_that_takes_too_long_goes_on(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("slow", f"term-gate={gate}", "ready", "wait"))
    base.start()
    ended = base.stop("--timeout", "0.5")
    assert ended.returncode == 0
    assert "BSHO2105-W" in ended.stderr
    assert "slow stopping for " in ended.stderr
    assert base.value == 12
    gate.write_text("go")
    base.wait_for(8)


def test_what_will_not_end_is_killed_after_its_stop_limit(base: Suite) -> None:
    base.write(service("stubborn", "ready", "ignore-term", "escapee=setsid+ignore", "wait", stop_limit=0.3))
    base.start()
    assert base.stop().stdout == "base on watch: all stopped\n"
    assert base.processes() == {}


def test_a_stop_during_a_start_turns_it_round(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("slow", f"gate={gate}", "ready", "wait"), steady("next", after=["slow"]), steady("quick"))
    start = base.popen("start.cluster", "--timeout", "20")
    base.wait_for_service("quick", "ready")
    assert base.stop().stdout == "base on watch: all stopped\n"
    _, errors = start.communicate()
    assert start.returncode == 0
    assert "BSHO2014-E logical host watch: the start of suite base was turned round" in errors
    assert base.value == 8


def test_a_start_during_a_stop_brings_it_up_again(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(steady("one"), service("slow", f"term-gate={gate}", "ready", "wait"))
    base.start()
    stop = base.popen("stop.cluster", "--timeout", "20")
    base.wait_for_service("one", "stopped")
    start = base.popen("start.cluster", "--timeout", "20")
    _, errors = stop.communicate()
    assert stop.returncode == 0
    assert "BSHO2014-E logical host watch: the stop of suite base was turned round" in errors
    gate.write_text("go")
    assert start.communicate()[0] == "base on watch: all running\n"
    assert base.value == 0


def test_a_service_that_fails_in_the_start_leaves_the_others(base: Suite) -> None:
    base.write(steady("one"), service("bad", "exit=3"), steady("after-bad", after=["bad"]))
    ended = base.start()
    assert ended.returncode == 0
    assert "BSHO2102-W" in ended.stderr
    assert "bad failed (ended with status 3)" in ended.stdout
    assert base.value == 4
    assert {name: each["state"] for name, each in base.services().items()} == {
        "one": "ready",
        "bad": "failed",
        "after-bad": "waiting",
    }


def test_a_program_that_cannot_be_launched_says_why(base: Suite) -> None:
    base.write('[[service]]\nname = "ghost"\ncommand = ["/no/such/program"]\n')
    ended = base.start()
    assert ended.returncode == 0
    assert "ghost failed (cannot be launched: No such file or directory: /no/such/program)" in ended.stdout
    assert base.value == 4


def test_a_services_last_words_are_in_the_status(base: Suite) -> None:
    base.write(service("speaks", "status=BSHO0001-E the port is taken", "exit=1"), steady("stays"))
    base.start()
    assert "speaks failed (ended with status 1: BSHO0001-E the port is taken)" in base.status().stdout


def test_a_services_chatter_is_not_taken_for_the_cause_of_its_end(base: Suite) -> None:
    base.write(service("speaks", "status=warming up", "exit=1"), steady("stays"))
    base.start()
    assert "speaks failed (ended with status 1)" in base.status().stdout


def test_a_service_finds_its_run_folder_made_for_its_user(base: Suite) -> None:
    base.house.root.chmod(0o755)
    base.write(steady("keeps", run_folder="files", user="nobody"))
    base.start()
    folder = (base.folder.parent / "files").stat()
    assert (folder.st_mode & 0o777, folder.st_uid) == (0o700, pwd.getpwnam("nobody").pw_uid)


def test_a_command_ends_quietly_on_ctrl_c_and_the_work_goes_on(base: Suite) -> None:
    gate = base.gate("gate")
    base.write(service("slow", f"gate={gate}", "ready", "wait"))
    command = base.popen("start.cluster")
    base.wait_for_service("slow", "starting")
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=10)
    assert command.returncode == -signal.SIGINT
    assert "Traceback" not in said
    gate.write_text("go")
    base.wait_for(0)


@pytest.mark.parametrize(("verb", "meanwhile", "value"), [("start", "starting", 0), ("stop", "stopping", 8)])
def test_a_command_that_the_cluster_kills_in_the_middle_changes_nothing(
    base: Suite, verb: str, meanwhile: str, value: int
) -> None:
    """As at the end of an operation's time-out: the work goes on, and the next command joins it."""
    gate = base.gate("gate")
    acts = [f"gate={gate}", "ready"] if verb == "start" else [f"term-gate={gate}", "ready"]
    base.write(service("slow", *acts, "wait"))
    if verb == "stop":
        base.start()
    command = base.popen(f"{verb}.cluster")
    base.wait_for_service("slow", meanwhile)
    command.kill()
    command.communicate()
    assert base.value == 12
    again = base.popen(f"{verb}.cluster")
    gate.write_text("go")
    assert (again.communicate()[0], base.value) == (
        f"base on watch: all {'running' if not value else 'stopped'}\n",
        value,
    )


def test_a_disabled_service_is_neither_started_nor_required(base: Suite) -> None:
    base.write(steady("one", after=["off"]), steady("off", enabled=False))
    base.start()
    assert base.value == 0
    assert list(base.services()) == ["one"]


def test_what_a_service_finds_around_it(base: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    path = base.house.root / "found"
    show = ["sh", "-c", f"env >{path}; pwd >>{path}; echo to the log; exec {ready()}"]
    table = f'[[service]]\nname = "one"\ncommand = {json.dumps(show)}\n'
    base.write(table + 'watchdog = 60\nenvironment = { MINE = "{host}" }\n')
    monkeypatch.setenv("OCF_RESKEY_SECRET", "of the cluster's")
    base.start()
    lines = path.read_text().splitlines()
    found = dict(line.partition("=")[::2] for line in lines)
    assert found["BANSHO_HOST"] == found["JP1_HOSTNAME"] == found["MINE"] == "watch"
    assert (found["BANSHO_SUITE"], found["BANSHO_SERVICE"], found["BANSHO_EPOCH"]) == ("base", "one", "1")
    assert (found["WATCHDOG_USEC"], found["NOTIFY_SOCKET"]) == ("60000000", f"{base.folder}/notify/one")
    assert (found["BANSHO_ETC"], found["BANSHO_RUN"]) == (str(base.house.etc), str(base.house.run))
    assert "OCF_RESKEY_SECRET" not in found
    assert lines[-1] == "/"
    assert (base.house.shared / "log" / "base.one.log").read_text() == "to the log\n"


@pytest.mark.usefixtures("as_root")
def test_a_service_runs_as_its_user(base: Suite) -> None:
    for folder in (base.house.shared, base.house.root):
        folder.chmod(0o755)
    base.write(service("one", "status=here I am", "ready", "wait", user="nobody"))
    assert base.start().stdout == "base on watch: all running\n"
    status = Path(f"/proc/{base.pid('one')}/status").read_text()
    assert "\nUid:\t65534\t65534\t65534\t65534\n" in status
    assert "\nGroups:\t65534 \n" in status or "\nGroups:\t \n" in status
    assert (base.folder / "notify" / "one").stat().st_uid == 65534


REFUSED = {
    "no shared directory": ("rm -r {shared}", "BSHO1005-E", 1),
    "no suite file": ("rm {shared}/conf/base.toml", "BSHO2001-E", 8),
    "malformed suite file": ("echo 'speed = 1' >>{shared}/conf/base.toml", "BSHO2002-E", 8),
    "restart asked for": ("echo 'restart = 1' >>{shared}/conf/base.toml", "BSHO2003-E", 8),
    "unknown user": ("echo 'user = \"nobody-at-all\"' >>{shared}/conf/base.toml", "BSHO2007-E", 8),
}


@pytest.mark.parametrize(("damage", "message", "value"), REFUSED.values(), ids=REFUSED)
def test_a_refused_start_says_so_and_leaves_nothing(base: Suite, damage: str, message: str, value: int) -> None:
    base.write(steady("one"))
    subprocess.run(damage.format(shared=base.house.shared), shell=True, check=True)
    ended = base.start()
    assert (ended.returncode, ended.stdout) == (0, "")
    assert message in ended.stderr
    assert base.processes() == {}
    assert not (base.folder / "record").exists()
    assert base.value == value


def test_a_refusal_waits_for_whoever_asks(base: Suite) -> None:
    """The process manager may know that it cannot start before the command that began it has asked it to."""
    base.write(steady("one", after=["ghost"]))
    folder = Folder(base.folder)
    folder.create()
    with os.fdopen(spawning.spawn(folder.mark, base.suite, base.host)) as line:
        assert line.readline() == "listening\n"
    eventually(lambda: "start refused" in folder.log.read_text())
    (answer,) = control.answers(folder.control, Order("start", 10), lambda: None)
    assert answer["ended"] is True
    assert "ghost" in answer["error"]
    base.wait_for(8)


def test_a_start_is_refused_while_another_node_holds_the_lease(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    base.stop()
    program = Path(__file__).with_name("other_node.py")
    with subprocess.Popen(
        [sys.executable, program, base.host], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        ended = base.start()
        assert ended.returncode == 0
        assert "BSHO1006-E" in ended.stderr
        assert base.processes() == {}
        assert base.value == 1
        other.communicate("")
    assert base.value == 8


def test_a_start_beside_leftovers_of_a_dead_manager_is_refused(base: Suite, mechanism: str) -> None:
    base.write(steady("one"))
    base.start()
    pid = base.pid("one")
    base.kill_manager()
    for ended in (base.start(), base.stop()):
        assert ended.returncode == 0
        assert "BSHO2005-E" in ended.stderr
        assert f"(pid {pid})" in ended.stderr
        assert "jbs_killall.cluster watch" in ended.stderr
    assert base.value == 4
    assert base.killall().returncode == 0
    assert base.start().stdout == "base on watch: all running\n"


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_a_frozen_manager_does_not_freeze_the_command(base: Suite, verb: str) -> None:
    base.write(steady("one"))
    base.start()
    os.kill(base.manager, signal.SIGSTOP)
    ended = base.start("--timeout", "0.5") if verb == "start" else base.stop("--timeout", "0.5")
    assert ended.returncode == 0
    assert "still under way after 0.5 s" in ended.stderr
    assert "the process manager has not answered" in ended.stderr
    os.kill(base.manager, signal.SIGCONT)


@pytest.mark.parametrize("verb", ["start", "stop", "reload"])
def test_a_frozen_manager_is_given_up_before_the_limit(base: Suite, verb: str) -> None:
    """And long before its beat counts as lost, which is after ten seconds."""
    limit = [] if verb == "reload" else ["--timeout", "8"]
    base.write(steady("one"))
    base.start()
    manager = base.manager
    os.kill(manager, signal.SIGSTOP)
    try:
        ended = getattr(base, verb)(*limit)
    finally:
        os.kill(manager, signal.SIGCONT)
    assert ended.returncode == (1 if verb == "reload" else 0)
    assert f"BSHO2013-E logical host watch: the process manager of suite base (pid {manager})" in ended.stderr
    assert "stands still (state T)" in ended.stderr
    assert "end the suite with: jbs_killall.cluster watch" in ended.stderr


def test_a_manager_that_pauses_in_the_middle_of_an_order_is_waited_for(base: Suite) -> None:
    """It beats, and says nothing for longer than a pause of the commands' patience: the service takes its time."""
    gate = base.gate("gate")
    base.write(service("slow", f"term-gate={gate}", "ready", "wait", stop_limit=60))
    base.start()
    stop = base.popen("stop.cluster")
    base.wait_for_service("slow", "stopping")
    wake_up = Timer(2.5 * control.PATIENCE, gate.write_text, ["go"])
    wake_up.start()
    assert stop.communicate()[0] == "base on watch: all stopped\n"


def test_stop_all_on_failure(base: Suite) -> None:
    base.write(steady("one"), steady("two"), on_service_failure='"stop-all"')
    base.start()
    os.kill(base.pid("one"), signal.SIGKILL)
    base.wait_for(8)
    assert base.processes() == {}


def test_no_restart_on_a_logical_host(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    os.kill(base.pid("one"), signal.SIGKILL)
    base.wait_for(4)
    assert base.services()["one"]["status"] == "was killed by signal 9"
    assert base.services()["one"]["pid"] is None


def test_restart_on_the_physical_host_alone(house: House) -> None:
    house.define("physical", kind='"physical"')
    suite = Suite(house, "physical")
    suite.write(steady("one", restart=1, restart_count=1, restart_interval=0))
    try:
        suite.start()
        assert suite.value == 0
        first = suite.pid("one")
        os.kill(first, signal.SIGKILL)
        eventually(lambda: suite.services()["one"]["pid"] not in {None, first})
        suite.wait_for(0)
        os.kill(suite.pid("one"), signal.SIGKILL)
        suite.wait_for(4)
        assert not (house.shared / "lease").exists()
        stopped = suite.stop()
        assert stopped.stdout == "base on physical: all stopped\n", stopped.stderr
    finally:
        suite.killall()


def test_two_suites_of_one_host(base: Suite) -> None:
    manager = Suite(base.house, "watch", "manager")
    for suite in (base, manager):
        suite.write(steady("one"))
    try:
        assert (base.start().returncode, manager.start().returncode) == (0, 0)
        assert (base.value, manager.value) == (0, 0)
        manager.stop()
        assert (base.value, manager.value) == (0, 8)
    finally:
        manager.killall()


def test_the_log_of_the_manager(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    base.stop()
    lines = [json.loads(line) for line in (base.folder / "spmd.log").read_text().splitlines()]
    assert all(line["host"] == "watch" and line["suite"] == "base" for line in lines)
    assert [line["state"] for line in lines if line["event"] == "service"] == [
        "starting",
        "ready",
        "stopping",
        "stopped",
    ]
    assert (base.folder / "spmd.log").stat().st_mode & 0o777 == 0o600


def test_json(base: Suite) -> None:
    base.write(steady("one"))
    started = json.loads(base.start("--json").stdout)
    assert (started["return"], started["status"], started["outstanding"]) == (0, 0, [])
    assert any("BSHO2101-I" in line for line in started["messages"])
    assert json.loads(base.stop("--json").stdout)["status"] == 8


def test_the_lease_is_given_back_by_the_last_suite(base: Suite) -> None:
    from bansho.logicalhost import lease

    manager = Suite(base.house, "watch", "manager")
    for suite in (base, manager):
        suite.write(steady("one"))
        suite.start()
    held = lease.read(base.house.shared)
    manager.stop()
    between = lease.read(base.house.shared)
    base.stop()
    after = lease.read(base.house.shared)
    assert held is not None
    assert between is not None
    assert after is not None
    assert (held.held, between.held, after.held) == (True, True, False)
