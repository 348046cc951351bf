"""Suites that are ended after each test."""

from collections.abc import Iterator

import pytest
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
