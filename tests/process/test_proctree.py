"""Which processes are a suite's: on trees that hypothesis makes up, and on this machine."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.process import identity, proctree
from bansho.process.identity import Stat
from bansho.process.proctree import Process

MARKS = (None, None, None, "ours", "theirs")


@st.composite
def trees(draw: st.DrawFn) -> dict[int, Process]:
    """Processes 2.., each the child of an earlier one, or of init."""
    size = draw(st.integers(0, 12))
    return {
        pid: Process(
            Stat(pid, "x", "S", draw(st.integers(1, pid - 1)), pid),
            draw(st.sampled_from(MARKS)),
            draw(st.sampled_from((None, "service"))),
        )
        for pid in range(2, size + 2)
    }


def ancestors(tree: dict[int, Process], pid: int) -> list[Process]:
    line = []
    while pid in tree:
        line.append(tree[pid])
        pid = tree[pid].stat.parent
    return line


@given(trees(), st.sets(st.integers(2, 13)))
def test_ours_are_the_marked_the_grouped_and_what_descends_from_them(
    tree: dict[int, Process], grouped: set[int]
) -> None:
    found = proctree.members(tree, "ours", grouped)
    for pid, process in tree.items():
        line = ancestors(tree, pid)
        until_foreign = line[: next((i for i, each in enumerate(line) if each.mark == "theirs"), len(line))]
        expected = any(each.mark == "ours" or each.stat.pid in grouped for each in until_foreign)
        assert (pid in found) == expected, (pid, process)


@given(trees(), st.sets(st.integers(2, 13)))
def test_another_suites_process_is_never_ours(tree: dict[int, Process], grouped: set[int]) -> None:
    assert all(process.mark != "theirs" for process in proctree.members(tree, "ours", grouped).values())


@given(trees(), st.sets(st.integers(2, 13)), st.data())
def test_a_session_is_the_suites_where_it_has_every_process(
    tree: dict[int, Process], grouped: set[int], data: st.DataObject
) -> None:
    for pid, process in tree.items():
        tree[pid] = process._replace(stat=process.stat._replace(session=data.draw(st.integers(1, 4))))
    found = proctree.members(tree, "ours", grouped).keys()
    sessions = {number: {pid for pid in tree if tree[pid].stat.session == number} for number in range(1, 5)}
    expected = {number for number, pids in sessions.items() if pids and pids <= found}
    assert proctree.sessions(tree, found) == expected


@given(trees())
def test_a_services_processes_are_some_of_the_suites(tree: dict[int, Process]) -> None:
    assert proctree.of_service(tree, "ours", "service").keys() <= proctree.members(tree, "ours").keys()


def test_a_real_process_is_found_by_its_mark_alone() -> None:
    environment = {proctree.MARK: "/run/here/base", proctree.SERVICE: "x"}
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE, env=environment
    ) as child:
        found = proctree.members(proctree.snapshot(), "/run/here/base")
        assert found.keys() == {child.pid}
        assert not found[child.pid].is_manager
        assert not proctree.members(proctree.snapshot(), "/run/here/bas")
        assert proctree.describe(found.values()) == f"{found[child.pid].stat.program} (pid {child.pid})"
        child.communicate(b"\n")
    assert not proctree.members(proctree.snapshot(), "/run/here/base")


def test_a_look_ends_although_processes_never_cease_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = iter(range(2**22 + 1, 2**23))  # pids that the kernel never gives
    monkeypatch.setattr(identity, "pids", lambda: [os.getpid(), next(listed)])
    assert proctree.snapshot().keys() == {os.getpid()}
    assert next(listed) == 2**22 + 1 + proctree.LOOKS


def test_a_zombie_is_no_living_process() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert child not in proctree.snapshot()
    os.waitpid(child, 0)
