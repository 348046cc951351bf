"""The limits of a minute that count where nobody names any (CONTRACT 3.1, 3.2), in their true length."""

import re
from itertools import dropwhile

from tests.commands.minute import Course, Minute
from tests.commands.suites import eventually

from bansho.contract import limits

TICK = 0.02
"""Seconds: a process's start time is known to one of the kernel's ticks."""


def check_time(course: Course, limit: float) -> None:
    """Neither did it come back before the limit, nor later than it may."""
    assert course.seconds >= limit - TICK
    assert limit / 2 < course.waited <= limit + limits.RETURN_SLACK


def seen_after(course: Course, before: int) -> set[int]:
    """The values of the status from when the command had been heard."""
    return set(dropwhile(lambda value: value == before, course.values))


def test_a_start_comes_back_after_a_minute_and_goes_on(minute: Minute) -> None:
    course = minute.start
    course.wait()
    assert course.returned.returncode == 0
    assert "BSHO2103-W start of base on minute is still under way after 60 s and goes on" in course.said
    assert re.search(r"outstanding: slow starting for [56]\d\.\d s", course.said)
    check_time(course, limits.START)
    assert seen_after(course, 8) == {12}
    assert course.suite.value == 12
    course.gate.write_text("go")
    course.suite.wait_for(0)


def test_a_service_has_a_minute_for_its_start_and_is_left_alone_then(minute: Minute) -> None:
    course = minute.late
    course.wait()
    assert course.returned.returncode == 0
    assert seen_after(course, 8) <= {12, 4}
    assert course.values.count(4) <= 2, "as long as the service's own minute, which begins later, there is no 4"
    eventually(lambda: course.suite.services()["slow"]["state"] == "overdue")
    assert course.suite.value == 4
    course.gate.write_text("go")
    course.suite.wait_for(0)


def test_a_stop_comes_back_after_a_minute_and_goes_on(minute: Minute) -> None:
    course = minute.stop
    course.wait()
    assert course.returned.returncode == 0
    assert "BSHO2105-W stop of base on minute is still under way after 60 s and goes on" in course.said
    check_time(course, limits.STOP)
    assert seen_after(course, 0) == {12}
    assert course.suite.value == 12
    course.gate.write_text("go")
    course.suite.wait_for(8)


def test_a_start_from_a_disk_that_does_not_answer_is_given_up(minute: Minute) -> None:
    """Its process manager ends, although a thread of it still waits for the disk; nothing is left."""
    course = minute.dead_disk
    course.wait()
    assert course.returned.returncode == 0
    assert f"BSHO2008-E logical host minute: shared directory {course.suite.house.shared} did not answer" in course.said
    assert {12} <= set(course.values) <= {12, 8}
    assert course.suite.processes() == {}
    assert course.suite.value == 8
