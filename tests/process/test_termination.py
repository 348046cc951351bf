"""The primitives of forced termination; tests/commands/test_killall.py has the whole of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.commands.suites import eventually
from tests.process.nobody import as_nobody

from bansho.process import holders, identity, termination
from bansho.process.proctree import Process
from bansho.process.termination import Look

NOBODY = Look({})


@contextmanager
def waiting() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    with waiting() as process:
        yield process


def found(pid: int, ticks: int = 0) -> Look:
    """What a look at /proc found: `pid`, started `ticks` later than it really was."""
    stat = identity.stat(pid)
    assert stat is not None
    return Look({pid: Process(stat._replace(ticks=stat.ticks + ticks), None, None)})


def test_what_is_found_is_ended(child: "subprocess.Popen[bytes]") -> None:
    looks = [found(child.pid)]
    assert termination.end(lambda: looks.pop() if looks else NOBODY) == []
    assert child.wait() == -9


def test_what_is_found_only_then_is_ended_too(child: "subprocess.Popen[bytes]") -> None:
    """A look at /proc misses what is forked meanwhile, and its parent is no more by the next one."""
    with waiting() as late:
        assert termination.end(lambda: next(filter(None, map(seen, (child.pid, late.pid))), NOBODY)) == []
        assert (child.wait(), late.wait()) == (-9, -9)


def test_a_pid_that_was_used_again_is_not_signalled(child: "subprocess.Popen[bytes]") -> None:
    looks = [found(child.pid, ticks=-1)]
    assert termination.end(lambda: looks.pop() if looks else NOBODY) == []
    assert child.poll() is None
    stat = identity.stat(child.pid)
    assert stat is not None
    assert stat.state not in "tT"


def test_what_does_not_go_is_named_in_time(child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "pidfd_send_signal", lambda *_: None)
    looks = found(child.pid)
    survivors = termination.end(lambda: looks, limit=0.1)
    assert [survivor.pid for survivor in survivors] == [child.pid]
    assert survivors[0].why.startswith("it outlived SIGKILL (state ")


def test_what_ended_after_the_last_look_is_no_survivor(child: "subprocess.Popen[bytes]") -> None:
    """A zombie holds nothing; on a busy node many a process becomes one just when the time has passed."""
    looks = found(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert termination.end(lambda: looks, limit=0) == []


@contextmanager
def family() -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A shell in a session of its own, and the pid of its child, which is ended in any case."""
    with subprocess.Popen(
        ["sh", "-c", "sleep 1000 & echo $!; wait"], start_new_session=True, stdout=subprocess.PIPE
    ) as shell:
        assert shell.stdout is not None
        child = os.pidfd_open(pid := int(shell.stdout.readline()))
        try:
            yield shell, pid
        finally:
            shell.kill()
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
            os.close(child)


@pytest.mark.parametrize("alone", [True, False], ids=["alone in the session", "not alone"])
def test_who_was_not_seen_goes_with_the_group_where_nobody_else_is_in_the_session(*, alone: bool) -> None:
    """The looks find a shell, and not its child, as if that had been forked just afterwards."""
    with family() as (shell, child):
        termination.end(lambda: seen(shell.pid, [shell.pid] if alone else []) or NOBODY)
        assert shell.wait() == -9
        if alone:
            eventually(lambda: state(child) in {"", "Z"})
        assert state(child) in ({"", "Z"} if alone else {"R", "S", "D"})


def test_a_group_is_stopped_before_anyone_is_killed() -> None:
    """A second process comes in when the shell stands, so that there is one look more after the group was stopped."""
    stands: list[str] = []
    with family() as (shell, child), waiting() as late:

        def scan() -> Look:
            if len(stands) == 1:
                eventually(lambda: state(child) == "T", what=lambda: f"the child is {state(child)}")
            look = seen(shell.pid, [shell.pid]) or NOBODY
            if [stat.state for stat in look.due] == ["T"]:
                stands.append(state(child))
            newcomer = (seen(late.pid) if stands else None) or NOBODY
            return look._replace(members={**look.members, **newcomer.members})

        assert termination.end(scan) == []
        assert stands[1] == "T"


def state(pid: int) -> str:
    stat = identity.stat(pid)
    return stat.state if stat else ""


def seen(pid: int, sessions: Collection[int] = ()) -> Look | None:
    """A look that finds that process alone; none once it has ended."""
    stat = identity.stat(pid)
    return None if stat is None or stat.ended else Look({pid: Process(stat, None, None)}, sessions)


def test_the_guardian_goes_when_nobody_else_is_left() -> None:
    """Also when the first look misses the others: who is forked and orphaned meanwhile would be nobody's without it."""
    with waiting() as guardian, waiting() as other:
        alive, missed = iter([False]), []

        def scan() -> Look:
            pids = [guardian.pid, other.pid] if next(alive, True) else [guardian.pid]
            living = {pid: Process(stat, None, None) for pid in pids if (stat := identity.stat(pid)) and not stat.ended}
            if other.poll() is not None:
                missed.append(guardian.poll())
            return Look(living, last={guardian.pid})

        assert termination.end(scan) == []
        assert missed[0] is None, "the other had ended, and the guardian had not"
        assert (guardian.wait(), other.wait()) == (-9, -9)


@pytest.mark.usefixtures("as_root")
def test_whom_this_user_may_not_end_is_named_so() -> None:
    ((pid, _, why),) = as_nobody(lambda: termination.end(lambda: found(1), limit=0))
    assert (pid, why.rpartition(" (")[0]) == (1, "this user has no right to end it")


def test_holders_by_every_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "program").write_bytes(Path("/bin/sleep").read_bytes())
    (tmp_path / "program").chmod(0o755)
    ways = {
        "descriptor": ["sh", "-c", f"exec sleep 1000 <{tmp_path}/file"],
        "working directory": ["sh", "-c", f"cd {tmp_path}; exec sleep 1000"],
        "program": [str(tmp_path / "program"), "1000"],
    }
    children = [subprocess.Popen(way) for way in ways.values()]
    try:
        for process in children:
            while (stat := identity.stat(process.pid)) and stat.program not in {"sleep", "program"}:
                os.sched_yield()
        assert {holder.pid for holder in holders.holders(str(tmp_path))} == {process.pid for process in children}
        assert holders.holders(f"{tmp_path}/fil") == []
    finally:
        for process in children:
            process.kill()
            process.wait()


def test_no_holder_of_what_nobody_holds(tmp_path: Path) -> None:
    assert holders.holders(str(tmp_path)) == []
