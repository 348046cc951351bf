"""Suites that are ended after each test, and the minute that some commands take, which passes beside the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.commands.minute import Minute
from tests.commands.suites import Suite, suite_in
from tests.house import House

from bansho.process import cgroup


@pytest.fixture
def base(house: House) -> Iterator[Suite]:
    """Base on the logical host watch: defined, its suite file not yet written."""
    house.define()
    yield from suite_in(house)


@pytest.fixture(params=["control group", "process tree"])
def mechanism(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way in which the processes of a suite are found; what the machine lacks is not tried."""
    if request.param == "process tree":
        monkeypatch.setenv(cgroup.WITHOUT, "1")
    elif cgroup.own() is None:
        pytest.skip("no control groups v2 here")
    return str(request.param)


@pytest.fixture(scope="session")
def minute() -> Iterator[Minute]:
    """Commands on their way into the default limits."""
    minute = Minute()
    yield minute
    minute.end()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The minute begins with the first test of this folder, and who waits for its end comes last."""
    here = [item for item in items if isinstance(item, pytest.Function) and item.path.parent == Path(__file__).parent]
    waiting = [item for item in here if "minute" in item.fixturenames]
    if waiting and len(here) > len(waiting):
        others = [item for item in here if item not in waiting]
        others[0].fixturenames.insert(0, "minute")
        ordered = iter([*others, *waiting])
        items[:] = [next(ordered) if item in here else item for item in items]
