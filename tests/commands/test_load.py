"""A node without processor time, memory or processes to spare: limits hold, nothing looks hung or late that is not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from tests.commands.suites import ACTOR, Suite, eventually, service, steady

from bansho.contract.limits import BEAT
from bansho.logicalhost import lease
from bansho.process import priority, spawning
from bansho.process.folder import Folder

OVERLOAD = 8
"""Busy processes for each processor."""
LOOKS = 20
BURN = "while True: pass"
BEATING = ("ready", "beat=0.2", "wait")


@contextmanager
def running(*commands: list[str]) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """These programs, ended afterwards."""
    with ExitStack() as stack:
        found = []
        for command in commands:
            found.append(stack.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=-3)))
            stack.callback(found[-1].kill)
        yield found


def busy() -> list[list[str]]:
    return [[sys.executable, "-I", "-S", "-c", BURN]] * (OVERLOAD * (os.cpu_count() or 1))


def log_of(suite: Suite) -> list[dict[str, object]]:
    return [json.loads(line) for line in (suite.folder / "spmd.log").read_text().splitlines()]


def states_seen(suite: Suite) -> set[object]:
    return {line.get("state") for line in log_of(suite)}


def test_a_busy_node(base: Suite) -> None:
    gate = base.gate("gate")
    slow = service("slow", f"gate={gate}", *BEATING, watchdog=2, start_limit=20)
    base.write(service("beats", *BEATING, watchdog=2), slow, steady("one"))
    with running(*busy()):
        ended = base.start("--timeout", "1")
        assert ended.returncode == 0
        assert "still under way after 1 s" in ended.stderr
        base.wait_for_service("beats", "ready")
        assert base.value == 12
        gate.write_text("go")
        base.wait_for(0)
        assert {base.value for _ in range(LOOKS)} == {0}
        assert "overdue" not in states_seen(base)
        os.kill(base.pid("slow"), signal.SIGSTOP)
        base.wait_for_service("slow", "hung")
        assert {name: each["state"] for name, each in base.services().items()}["beats"] == "ready"
        os.kill(base.pid("one"), signal.SIGKILL)
        base.wait_for_service("one", "failed")
        stopped = base.stop()
    assert stopped.stdout == "base on watch: all stopped\n", stopped.stderr
    assert [line["service"] for line in log_of(base) if line.get("state") == "hung"] == ["slow"]


def test_the_process_manager_comes_before_its_services(base: Suite) -> None:
    base.write(steady("one"))
    base.start()
    assert [os.getpriority(os.PRIO_PROCESS, pid) for pid in (base.manager, base.pid("one"))] == [priority.MANAGER, 0]
    assert "BSHO2118-W" not in json.dumps(log_of(base))


def test_a_start_that_is_over_before_its_process_manager_listens_goes_on(base: Suite) -> None:
    base.write(steady("one"))
    folder = Folder(base.folder)
    folder.create()
    os.close(spawning.spawn(folder.mark, base.suite, base.host))  # as a command ends whose time is over
    base.wait_for(0)


@pytest.mark.usefixtures("as_root")
def test_without_the_right_to_that_priority_the_log_says_so(base: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    base.write(steady("one"))
    powerless = ["setpriv", "--bounding-set=-sys_nice", *base.command("start.cluster")]
    assert (
        subprocess.run(powerless, capture_output=True, text=True, check=True).stdout == "base on watch: all running\n"
    )
    assert os.getpriority(os.PRIO_PROCESS, base.manager) == 0
    told = [line["message"] for line in log_of(base) if line["event"] == "priority"]
    assert told == [
        "BSHO2118-W the process manager of base on watch runs with niceness 0 and not with -10: its user may not have"
        " that; on a busy node its beat may come late"
    ]


FLOODS = 16
"""As many processes send to each socket; one alone is not faster than who reads."""
WRITES = 50
"""In a second: the record ten times, lease and log now and then. Without a bound it were thousands."""


def test_services_and_strangers_that_flood_the_process_manager(base: Suite) -> None:
    beats = service("beats", "ready", *["flood=WATCHDOG=1"] * FLOODS, "wait", watchdog=5)
    base.write(beats, service("talks", "ready", *["flood=STATUS=number #"] * FLOODS, "wait"), steady("one"))
    assert base.start().stdout == "base on watch: all running\n"
    stranger = subprocess.Popen(
        [sys.executable, "-I", "-S", str(ACTOR), *["flood=STATUS=a lie"] * FLOODS, "wait"],
        env={"NOTIFY_SOCKET": str(base.folder / "notify" / "one")},
    )
    with stranger:
        try:
            before, began, writes = base.services()["talks"]["status"], time.monotonic(), written_by(base.manager)
            beat = beaten(base)
            eventually(lambda: beaten(base) >= beat + 200 * BEAT)
            assert {base.value for _ in range(LOOKS)} == {0}
            assert written_by(base.manager) - writes < WRITES * (time.monotonic() - began)
            assert base.services()["talks"]["status"] != before
            assert base.services()["one"]["status"] == ""
            os.kill(base.pid("one"), signal.SIGKILL)
            base.wait_for(4)
        finally:
            stranger.kill()
    assert base.stop().stdout == "base on watch: all stopped\n"
    assert states_seen(base) & {"hung", "overdue"} == set()


def written_by(pid: int) -> int:
    """How often the process has written."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["syscw"])


def beaten(suite: Suite) -> int:
    """Until when the record is fresh, in hundredths of a second."""
    return int((suite.folder / "record").read_text().split()[6])


MEMORY = 96 << 20
HOG = """
import mmap, sys
sys.stdout.close()
open("/proc/self/oom_score_adj", "w").write("1000")
held = []
while True:
    held.append(mmap.mmap(-1, 1 << 20))
    held[-1].write(bytes(1 << 20))
"""


class Memory:
    """A control group with little memory, of whichever version the node has."""

    def __init__(self, group: Path) -> None:
        self._group = group

    def join(self) -> None:
        """Moves the calling process into it; for `preexec_fn`."""
        (self._group / "cgroup.procs").write_text("0")

    @property
    def kills(self) -> int:
        """How often the kernel had to kill for want of memory."""
        path = self._group / "memory.oom_control"
        text = (path if path.exists() else self._group / "memory.events").read_text()
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])


LIMITS = {"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"}
"""Where each version of control groups has its folder -> the file for the limit."""


@pytest.fixture
def memory() -> Iterator[Memory]:
    for root, limit in LIMITS.items():
        group = Path(root, f"b-load-{os.getpid()}")
        try:
            group.mkdir()
            (group / limit).write_text(str(MEMORY))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        yield Memory(group)
        group.rmdir()
        return
    pytest.skip("no control group with a memory limit can be made here")


def test_a_node_without_memory(base: Suite, memory: Memory) -> None:
    """The suite shares its group with programs that take all there is, until the kernel kills them; then again."""
    base.write(*(service(name, *BEATING, watchdog=3) for name in ("one", "two")))
    started = subprocess.run(base.command("start.cluster"), preexec_fn=memory.join, capture_output=True, check=False)
    assert started.stdout == b"base on watch: all running\n", started.stderr
    hog = [sys.executable, "-I", "-S", "-c", HOG]
    for _ in range(5):
        with subprocess.Popen(hog, preexec_fn=memory.join, stderr=subprocess.DEVNULL) as eater:
            values = set()
            while eater.poll() is None:
                values.add(base.value)
            assert values <= {0}
            assert eater.wait() == -signal.SIGKILL
    assert memory.kills >= 5
    os.kill(base.pid("two"), signal.SIGKILL)
    base.wait_for(4)
    assert states_seen(base) & {"hung", "overdue"} == set()
    assert base.stop().stdout == "base on watch: all stopped\n"


PROCESSES = 40
CROWD = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
said = False
while True:
    try:
        if os.fork() == 0:
            while True:
                signal.pause()
    except BlockingIOError:
        if not said:
            said = bool(os.write(1, b"full\\n"))
        time.sleep(0.001)
"""
"""Takes every process that the group may still have, and each one that becomes free."""


STOPPED = {"service": "one", "state": "stopped"}


@pytest.fixture
def crowd() -> Iterator[Path]:
    """A control group that may have few processes; whoever is left in it is killed afterwards."""
    for root in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        group = Path(root, f"b-crowd-{os.getpid()}")
        try:
            group.mkdir()
            (group / "pids.max").write_text(str(PROCESSES))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        yield group
        while left := (group / "cgroup.procs").read_text().split():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        group.rmdir()
        return
    pytest.skip("no control group with a limit of processes can be made here")


def test_a_node_without_room_for_another_process(base: Suite, crowd: Path) -> None:
    """The process manager can make neither a child nor a thread; it goes on, and ends in order once there is room."""

    def join() -> None:
        (crowd / "cgroup.procs").write_text("0")

    base.write(*(service(name, *BEATING, watchdog=3) for name in ("one", "two")))
    started = subprocess.run(base.command("start.cluster"), preexec_fn=join, capture_output=True, check=False)
    assert started.stdout == b"base on watch: all running\n", started.stderr
    program = [sys.executable, "-I", "-S", "-c", CROWD]
    with subprocess.Popen(program, preexec_fn=join, stdout=subprocess.PIPE) as taker, ExitStack() as stack:
        stack.callback(taker.kill)
        assert taker.stdout is not None
        assert taker.stdout.readline() == b"full\n"
        assert base.value == 0
        os.kill(base.pid("two"), signal.SIGKILL)
        base.wait_for(4)
        stop = base.popen("stop.cluster")
        eventually(lambda: any(STOPPED.items() <= line.items() for line in log_of(base)))
        taker.kill()
        taker.wait()
        assert stop.communicate()[0] == "base on watch: all stopped\n"
    assert base.value == 8
    assert log_of(base)[-1]["event"] == "process manager ends"
    now = lease.read(base.house.shared)
    assert now is not None
    assert not now.held
