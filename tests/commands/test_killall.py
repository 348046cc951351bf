"""Forced termination (CONTRACT 3.4): nothing survives, nothing else is touched - by each mechanism."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.commands.actor import SEVERAL, TWO_HUNDRED, WAYS
from tests.commands.blocking_fs import Blocking
from tests.commands.suites import ACTOR, Suite, eventually, service, steady
from tests.house import House

from bansho.logicalhost import lease
from bansho.process import cgroup, identity, priority, proctree

VERBS = ("start", "stop", "killall")


def alive() -> set[tuple[int, int]]:
    """Every living actor on this machine that belongs to this test run; one look may miss who forks all the time."""
    looks = (proctree.snapshot() for _ in range(3))
    return {
        (pid, process.stat.ticks) for look in looks for pid, process in look.items() if str(ACTOR) in command_line(pid)
    }


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def nothing_new() -> Callable[[], set[tuple[int, int]]]:
    """Gives the actors that live now and did not before."""
    before = alive()
    return lambda: alive() - before


def test_no_way_out(base: Suite, mechanism: str, nothing_new: Callable[[], set[tuple[int, int]]]) -> None:
    base.write(
        *(service(f"way-{number}", f"escapee={way}", "ready", "wait") for number, way in enumerate(WAYS.values()))
    )
    base.start()
    eventually(lambda: len(nothing_new()) >= 2 * len(WAYS) - 1)
    ended = base.killall()
    assert (ended.returncode, ended.stdout) == (0, "base on watch: nothing is left\n"), ended.stderr
    assert {command_line(pid) for pid, _ in nothing_new()} == set()
    assert base.value == 8


@pytest.mark.parametrize("state", ["dead", "frozen", "guardian dead"])
def test_whatever_became_of_the_manager(
    base: Suite, mechanism: str, state: str, nothing_new: Callable[[], set[tuple[int, int]]]
) -> None:
    """Without a control group only the guardian knows who left its parent and cleared its environment (ADR 4)."""
    lost = {"orphan", "cleared"} if (mechanism, state) == ("process tree", "guardian dead") else {"nothing is lost"}
    found = [f"escapee={way}" for way in WAYS.values() if not lost <= set(way.split("+"))]
    assert len(WAYS) - len(found) == (2 if "orphan" in lost else 0)
    base.write(service("one", *found, "ready", "wait"), steady("two"))
    base.start()
    if state == "dead":
        base.kill_manager()
    elif state == "frozen":
        os.kill(base.manager, signal.SIGSTOP)
    else:
        parent = identity.stat(base.manager)
        assert parent is not None
        os.kill(parent.parent, signal.SIGKILL)
    assert base.killall().returncode == 0
    assert nothing_new() == set()
    assert base.processes() == {}


def test_a_half_started_suite(base: Suite, mechanism: str, nothing_new: Callable[[], set[tuple[int, int]]]) -> None:
    gate = base.gate("gate")
    base.write(service("slow", *SEVERAL, f"gate={gate}", "ready", "wait"), steady("next", after=["slow"]))
    start = base.popen("start.cluster", "--timeout", "20")
    base.wait_for_service("slow", "starting")
    eventually(lambda: len(nothing_new()) >= len(WAYS))
    assert base.killall().returncode == 0
    _, errors = start.communicate()
    assert start.returncode == 0
    assert "BSHO2012-E" in errors
    assert nothing_new() == set()
    assert base.value == 8


BOMB = 400


@pytest.mark.parametrize("verb", ["killall", "stop"])
def test_a_fork_bomb_that_goes_off_meanwhile(
    base: Suite, mechanism: str, verb: str, nothing_new: Callable[[], set[tuple[int, int]]]
) -> None:
    gate = base.gate("gate")
    acts = ["ready", "ignore-term", f"gate={gate}", f"bomb={BOMB}", "wait"]
    base.write(service("bomb", *acts, stop_limit=0.1), steady("one"))
    base.start()
    command = base.popen(f"{verb}.cluster")
    gate.write_text("go")
    said, errors = command.communicate()
    assert (command.returncode, said.split(": ")[1]) == (
        0,
        {"killall": "nothing is left\n", "stop": "all stopped\n"}[verb],
    )
    assert errors.count("BSHO2108-E") == 0
    assert nothing_new() == set()
    assert base.value == 8


def test_what_a_dead_service_left_behind(
    base: Suite, mechanism: str, nothing_new: Callable[[], set[tuple[int, int]]]
) -> None:
    base.write(service("one", "escapee=setsid+orphan+cleared", "ready", "exit=0"))
    base.start()
    base.wait_for(4)
    assert nothing_new()
    assert base.killall().returncode == 0
    assert nothing_new() == set()


def test_two_hundred_processes(base: Suite, mechanism: str, nothing_new: Callable[[], set[tuple[int, int]]]) -> None:
    """Double-forked, in sessions of their own, renamed, without environment, forking, stopped, traced."""
    base.write(service("many", *TWO_HUNDRED, "ready", "wait"))
    base.start()
    eventually(lambda: settled(nothing_new()))
    ended = base.killall()
    assert (ended.returncode, ended.stdout) == (0, "base on watch: nothing is left\n"), ended.stderr
    assert nothing_new() == set()
    assert base.value == 8


def settled(actors: set[tuple[int, int]]) -> bool:
    """Whether the two hundred are there, and those stand still that are to be stopped or traced."""
    states = Counter(stat.state for pid, _ in actors if (stat := identity.stat(pid)))
    return states.total() > len(TWO_HUNDRED) and (states["T"], states["t"]) == (22, 22)


def test_processes_that_do_not_run(
    base: Suite, mechanism: str, nothing_new: Callable[[], set[tuple[int, int]]]
) -> None:
    """One is stopped, another is held by a tracer that is none of the suite's and never lets it go on."""
    base.write(steady("stopped"), steady("traced"))
    base.start()
    os.kill(base.pid("stopped"), signal.SIGSTOP)
    traced = base.pid("traced")
    with subprocess.Popen([sys.executable, "-c", TRACER, str(traced)], stdin=-1, stdout=-1) as tracer:
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == b"holds it\n"
        assert f"\nTracerPid:\t{tracer.pid}\n" in Path(f"/proc/{traced}/status").read_text()
        assert base.killall().returncode == 0
        tracer.communicate(b"")
    assert nothing_new() == set()
    assert base.value == 8


TRACER = """
import ctypes, sys
libc, pid = ctypes.CDLL(None, use_errno=True), int(sys.argv[1])
assert libc.ptrace(16, pid, 0, 0) == 0, ctypes.get_errno()  # PTRACE_ATTACH
assert libc.waitpid(pid, None, 0x40000000) == pid  # __WALL
print("holds it", flush=True)
sys.stdin.read()
"""


def test_twice_changes_nothing(base: Suite) -> None:
    base.write(steady("one"))
    assert base.killall().returncode == 0
    assert not base.folder.exists()
    base.start()
    assert [base.killall().returncode, base.killall().returncode] == [0, 0]
    assert base.value == 8
    assert base.start().stdout == "base on watch: all running\n"


def test_nobody_else_is_touched(base: Suite, mechanism: str) -> None:
    """Another suite, another host, and a process that only looks like ours."""
    base.house.define("other")
    neighbours = [Suite(base.house, "watch", "manager"), Suite(base.house, "other", "base")]
    for suite in (base, *neighbours):
        suite.write(steady("one"), service("two", "escapee=setsid", "ready", "wait"))
    lone = subprocess.Popen([sys.executable, "-I", "-S", ACTOR, "wait"], env={"BANSHO_SERVICE": "one"})
    try:
        for suite in (base, *neighbours):
            suite.start()
        before = [suite.processes().keys() for suite in neighbours]
        assert base.killall().returncode == 0
        assert [suite.processes().keys() for suite in neighbours] == before
        assert [suite.value for suite in neighbours] == [0, 0]
        assert lone.poll() is None
    finally:
        lone.kill()
        lone.wait()
        for suite in neighbours:
            suite.killall()


def test_a_suite_that_was_started_from_another_suites_service(base: Suite, mechanism: str) -> None:
    manager = Suite(base.house, "watch", "manager")
    manager.write(steady("one"))
    script = f"jco_start.cluster watch; exec {' '.join(json.loads(actor()))}"
    base.write(
        f'[[service]]\nname = "nest"\ncommand = ["sh", "-c", {json.dumps(script)}]\nenvironment = {commands()}\n'
    )
    try:
        base.start()
        manager.wait_for(0)
        assert base.killall().returncode == 0
        assert manager.value == 0
    finally:
        manager.killall()


def actor() -> str:
    return service("x", "ready", "wait").splitlines()[2].removeprefix("command = ")


def commands() -> str:
    from tests.house import COMMANDS

    return f'{{ PATH = "{COMMANDS}:/usr/bin:/bin" }}'


@contextmanager
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A living process that is none of the suite's."""
    with subprocess.Popen([sys.executable, "-I", "-S", str(ACTOR), "wait"]) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_recycled_pid_is_left_alone(base: Suite, mechanism: str) -> None:
    """Everything on this node that names a process names one that is no longer it: the manager's, and a service's."""
    base.write(steady("one"))
    base.start()
    record = (base.folder / "record").read_text()
    old = (base.manager, base.pid("one"))
    base.killall()
    with ExitStack() as strangers:
        manager, one = (strangers.enter_context(stranger()) for _ in old)
        changed = record.replace(f" {old[0]} ", f" {manager.pid} ").replace(f'"pid":{old[1]}', f'"pid":{one.pid}')
        assert changed.count(str(manager.pid)) == changed.count(f'"pid":{one.pid}') == 1
        for order in (base.killall, base.stop, base.start):
            (base.folder / "record").write_text(changed)
            assert base.value == 8
            assert order().returncode == 0
            assert (manager.poll(), one.poll()) == (None, None), order
        assert base.value == 0


def test_other_holders_of_the_disk_are_named_and_left_alone(base: Suite, mechanism: str) -> None:
    base.write(steady("one"))
    base.start()
    path = base.house.shared / "conf" / "base.toml"
    with path.open() as file, subprocess.Popen(["sleep", "1000"], stdin=file) as holder:
        file.close()
        ended = base.killall()
        assert ended.returncode == 0
        assert f"BSHO2109-W pid {holder.pid} (sleep) holds {path} open" in ended.stderr
        assert holder.poll() is None
        answer = json.loads(base.killall("--json").stdout)
        assert answer["holders"] == [{"pid": holder.pid, "program": "sleep", "path": str(path)}]
        holder.kill()


@contextmanager
def shell() -> Iterator[tuple[int, Callable[[str], str]]]:
    """An operator's shell on a terminal of its own: its pid, and what it says after a line was typed."""
    leader, terminal = pty.openpty()
    with (
        subprocess.Popen(
            ["setsid", "--ctty", "sh", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, env={"PS1": "> "}
        ) as process,
        os.fdopen(leader, "rb+", buffering=0) as screen,
    ):
        os.close(terminal)

        def typed(line: str) -> str:
            screen.write(f"{line}; echo do''ne\n".encode())
            said = b""
            while b"done" not in said:
                said += screen.read(4096)
            return said.decode()

        try:
            yield process.pid, typed
        finally:
            process.kill()


def test_an_operators_shell_in_the_shared_directory_is_named_and_left_alone(base: Suite, mechanism: str) -> None:
    base.write(steady("one"))
    with shell() as (pid, typed):
        typed(f"cd {base.house.shared}/log")
        base.start()
        ended = base.killall()
        assert (ended.returncode, ended.stdout) == (0, "base on watch: nothing is left\n")
        assert f"BSHO2109-W pid {pid} (sh) holds {base.house.shared}/log open" in ended.stderr
        assert f"{base.house.shared}/log" in typed("pwd")


def test_the_hosts_other_suite_holds_the_disk_by_right(house: House) -> None:
    house.define("watch")
    base, manager = Suite(house), Suite(house, suite="manager")
    for suite in (base, manager):
        suite.write(steady("stays"))
        suite.start()
    ended = manager.killall()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert base.value == 0
    base.killall()


@pytest.mark.usefixtures("as_root")
def test_what_survives_is_named(base: Suite, mechanism: str) -> None:
    """An ordinary user may not end root's processes: what it cannot end it names, and says 1."""
    base.house.root.chmod(0o755)
    base.write(steady("one"))
    base.start()
    pid = base.pid("one")
    program = base.house.root / "killall"
    module = f"import sys; sys.path[:0] = {sys.path!r}; from bansho.commands.killall import main; main()"
    program.write_text(module)
    ended = subprocess.run(
        [
            "setpriv",
            "--reuid=nobody",
            "--regid=nogroup",
            "--clear-groups",
            "/usr/bin/python3",
            program,
            "base",
            "watch",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert f"BSHO2108-E pid {pid} (" in ended.stderr
    assert "no right to end it" in ended.stderr
    assert base.value == 0


@pytest.fixture
def blocking(house: House) -> Iterator[Blocking]:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no /dev/fuse here")
    blocking = Blocking(house.root / "blocking")
    yield blocking
    blocking.end()


@pytest.mark.usefixtures("as_root")
def test_all_but_what_waits_in_the_kernel_is_ended_and_that_is_named(
    base: Suite, blocking: Blocking, mechanism: str, nothing_new: Callable[[], set[tuple[int, int]]]
) -> None:
    """The file system has taken the request and never answers: SIGKILL, too, waits for that. One of 200 waits so."""
    held = service("held", *SEVERAL, "ready", f"gate={blocking.file}", "wait")
    base.write(held, steady("one"), service("many", *TWO_HUNDRED, "ready", "wait"))
    base.start()
    pid = base.pid("held")
    blocking.expect("held")
    ended = base.killall()
    assert (ended.returncode, ended.stdout) == (1, "base on watch: something survived\n")
    survivor, *others = [line for line in ended.stderr.splitlines() if line.startswith("BSHO2108-E")]
    assert others == []
    assert ended.stderr.index("BSHO2140-W") < ended.stderr.index("BSHO2108-E")
    assert ended.stderr.count(f"BSHO2140-W pid {pid} (") == 1
    assert survivor.startswith(f"BSHO2108-E pid {pid} (")
    assert survivor.endswith("survived: it waits in the kernel and cannot be killed (state D)")
    assert {pid for pid, _ in nothing_new()} == {pid}
    assert base.value == 4
    blocking.end()
    eventually(lambda: nothing_new() == set())
    assert base.killall().returncode == 0
    assert base.value == 8


@pytest.mark.usefixtures("as_root")
def test_what_ends_late_is_named_and_has_not_survived(base: Suite, blocking: Blocking, mechanism: str) -> None:
    """Meanwhile the command comes before all else on the node: it races with what forks."""
    base.write(service("held", "ready", f"gate={blocking.file}", "wait"))
    base.start()
    blocking.expect("held")
    with base.popen("killall.cluster") as command:
        assert command.stderr is not None
        assert command.stderr.readline().startswith(f"BSHO2140-W pid {base.pid('held')} (")
        assert os.getpriority(os.PRIO_PROCESS, command.pid) == priority.TERMINATION
        blocking.end()
        said, errors = command.communicate()
    assert (command.returncode, said, errors) == (0, "base on watch: nothing is left\n", "")


def test_nothing_of_it_stays_on_the_node(base: Suite, mechanism: str) -> None:
    base.write(steady("one"))
    base.start()
    group = (base.folder / "cgroup").read_text().strip()
    assert bool(group) == (mechanism == "control group")
    base.kill_manager()
    (base.folder / "record.new").write_text("as it was killed while it wrote its record")
    base.killall()
    assert {path.name for path in base.folder.iterdir()} == {"notify", "order.lock", "spmd.lock", "spmd.log", "well"}
    assert not group or not Path(group).exists()


@pytest.mark.parametrize("way", ["killall", "stop"])
def test_the_records_of_services_that_were_killed_go_with_the_suite(base: Suite, way: str) -> None:
    base.write(steady("keeps", run_folder="files"))
    base.start()
    files = base.folder.parent / "files"
    for name in ("record", "record.new", "controller"):
        (files / name).touch()
    (files / "record.d").mkdir()
    getattr(base, way)()
    assert {path.name for path in files.iterdir()} == {"record.d", "controller"}


def test_the_lease_is_given_back_by_the_last_suite_alone(base: Suite) -> None:
    manager = Suite(base.house, "watch", "manager")
    for suite in (base, manager):
        suite.write(steady("one"))
        suite.start()
    held = []
    for suite in (manager, base):
        assert suite.killall().returncode == 0
        now = lease.read(base.house.shared)
        assert now is not None
        held.append(now.held)
    assert held == [True, False]


def test_without_the_shared_directory(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    base.house.shared.rename(base.house.root / "away")
    ended = base.killall()
    assert ended.returncode == 0
    assert base.processes() == {}


@pytest.mark.parametrize("program", [f"{prefix}_{verb}.cluster" for prefix in ("jbs", "jco") for verb in VERBS])
def test_argument_errors(house: House, program: str) -> None:
    house.define()
    for arguments in ([], ["nowhere"], [""], ["watch", "more"], ["../watch"]):
        ended = house.command(program, *arguments)
        assert (ended.returncode, ended.stdout) == (1, ""), arguments
        assert ended.stderr.startswith("BSHO")
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("timeout", ["0", "soon", "nan", "32768"])
def test_a_timeout_that_is_none(house: House, timeout: str) -> None:
    house.define()
    assert house.command("jbs_start.cluster", "watch", "--timeout", timeout).returncode == 1


def test_a_group_is_not_made_inside_another_ones() -> None:
    if cgroup.own() is None:
        pytest.skip("no control groups v2 here")
    group = cgroup.create("test")
    assert group is not None
    try:
        assert cgroup.own() == group.parent
    finally:
        cgroup.leave(group.parent)
        cgroup.remove(group)
    assert not group.exists()
