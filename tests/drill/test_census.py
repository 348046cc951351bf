"""Whose a process is: also where it has no environment that says so."""

from bansho.drill.census import Found, Owner, belonging
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
