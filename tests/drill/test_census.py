"""Whose a process is: also where it has no environment that says so."""

import os
import shutil
import subprocess
from pathlib import Path
from subprocess import PIPE

import pytest

from bansho.drill.census import Found, Owner, belonging, told_owner
from bansho.process import identity, proctree
from bansho.process.identity import Stat

MANAGER, IMDB = Owner("manager", ""), Owner("manager", "imdb")


def stat(pid: int, parent: int, program: str = "sh") -> Stat:
    return Stat(pid, program, "S", parent, pid)


def test_a_process_that_cleared_its_environment_belongs_to_whom_it_descends_from() -> None:
    living = [stat(1, 0), stat(10, 1), stat(11, 10, "postgres"), stat(12, 11, "postgres"), stat(20, 1), stat(21, 20)]
    found = belonging(living, {10: MANAGER, 11: IMDB})
    assert found == (
        Found(10, 10, 1, "sh", "manager", ""),
        Found(11, 11, 10, "postgres", "manager", "imdb"),
        Found(12, 12, 11, "postgres", "manager", "imdb"),
    )


def test_an_escapee_in_the_control_group_is_found_whoever_its_parent_is() -> None:
    assert [each.pid for each in belonging([stat(1, 0), stat(30, 1), stat(31, 30)], {30: IMDB})] == [30, 31]


def test_a_process_whose_parent_ended_meanwhile_is_no_endless_search() -> None:
    assert belonging([stat(40, 39)], {}) == ()
    assert [each.suite for each in belonging([stat(40, 39)], {39: MANAGER})] == ["manager"]


@pytest.mark.parametrize(("mark", "owner"), [("", None), ("/run/bansho/watch/manager", IMDB)])
def test_a_program_is_not_the_suites_for_its_name(tmp_path: Path, mark: str, owner: Owner | None) -> None:
    """A node that joins runs `postgres --version`."""
    program = shutil.copy(shutil.which("cat") or "", tmp_path / "postgres")
    ours = {proctree.MARK: mark, proctree.SERVICE: "imdb"} if mark else {}
    with subprocess.Popen([program], env={**os.environ, **ours}, stdin=PIPE, stdout=PIPE, bufsize=0) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b"x")
        assert running.stdout.read(1) == b"x"  # before it runs, the kernel shows no environment
        found = identity.stat(running.pid)
        assert found
        assert (found.program, told_owner(found)) == ("postgres", owner)
        running.stdin.close()
