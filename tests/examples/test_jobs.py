"""The example is run as its README says: three processes, one of them Debian's Redis, which reports READY=1 itself."""

import os
import signal
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.base.service import free_ports
from tests.commands.suites import Suite, eventually, suite_in
from tests.house import House

from bansho.process import identity

EXAMPLE = Path(__file__).parents[2] / "examples" / "jobs"


class Jobs(Suite):
    """The example's suite on a logical host of its own."""

    def __init__(self, house: House) -> None:
        super().__init__(house, "jobs")
        self.port, _ = free_ports()
        here = {"/opt/jobs": str(EXAMPLE), "192.0.2.20": "127.0.0.1", "8080": str(self.port)}
        definition, suite = (EXAMPLE / name for name in ("jobs.toml", "base.toml"))
        house.define("jobs", suites=str(tomllib.loads(definition.read_text())["suites"]).replace("'", '"'))
        house.suite("base", replaced(suite.read_text(), here))
        (house.shared / "data").mkdir()

    def request(self, job: str | None = None) -> str:
        data = job.encode() if job is not None else None
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", data=data, timeout=10) as answer:
            text: str = answer.read().decode()
            return text


def replaced(text: str, words: dict[str, str]) -> str:
    """`text` with this machine's places; each stands in it."""
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def jobs(house: House) -> Iterator[Jobs]:
    cleanup = suite_in(house, "jobs")
    next(cleanup)
    yield Jobs(house)
    next(cleanup, None)


def test_the_examples_files_check_clean(house: House) -> None:
    ended = house.command("bansho", "check", str(EXAMPLE / "jobs.toml"), str(EXAMPLE / "base.toml"))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_it_starts_works_and_stops(jobs: Jobs) -> None:
    assert jobs.house.command("bansho", "setup", "jobs").returncode == 0
    started = jobs.start()
    assert (started.returncode, jobs.value) == (0, 0), started.stderr
    assert jobs.services()["store"]["status"] == "Ready to accept connections"
    assert jobs.request("hello") == "taken in"
    eventually(lambda: jobs.request() == "1 HELLO")
    assert jobs.stop().returncode == 0
    assert jobs.value == 8
    assert jobs.killall().returncode == 0
    assert jobs.processes() == {}


def test_the_death_of_redis_is_seen_and_no_job_is_lost(jobs: Jobs) -> None:
    jobs.start()
    jobs.request("first")
    eventually(lambda: jobs.request() == "1 FIRST")
    os.kill(jobs.pid("store"), signal.SIGKILL)
    jobs.wait_for(4)
    assert "store failed (was killed by signal 9" in jobs.status().stdout
    jobs.stop()
    assert jobs.killall().returncode == 0
    jobs.start()
    jobs.wait_for(0)
    assert jobs.request() == "1 FIRST"


def test_forced_termination_leaves_nothing_and_the_next_start_works(jobs: Jobs) -> None:
    jobs.start()
    jobs.request("kept")
    pids = [jobs.pid(name) for name in ("store", "worker", "front")]
    assert jobs.killall().returncode == 0
    assert (jobs.value, jobs.processes()) == (8, {})
    assert all(stat is None or stat.ended for stat in map(identity.stat, pids))
    jobs.start()
    jobs.wait_for(0)
    eventually(lambda: jobs.request() == "1 KEPT")


def test_a_hung_worker_counts_as_not_running(jobs: Jobs) -> None:
    path = jobs.house.shared / "conf" / "base.toml"
    path.write_text(replaced(path.read_text(), {"watchdog = 5": "watchdog = 1.5"}))
    jobs.start()
    jobs.wait_for(0)
    os.kill(jobs.pid("worker"), signal.SIGSTOP)
    jobs.wait_for(4)
    assert "worker hung" in jobs.status().stdout
