"""Process events that do not get into the spool: they are kept, up to a bound, and tried again."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.house import House

from bansho.contract.states import ServiceState
from bansho.logicalhost import definition
from bansho.process import reporting
from bansho.process.definition import Service
from bansho.process.environment import Site
from bansho.process.folder import Folder
from bansho.process.log import Log
from bansho.process.reporting import Reporter
from bansho.process.running import RunningService
from bansho.process.service import Restarts


class Changed:
    """A service as the reporter sees it."""

    name, user, status, result, process_id = "one", "root", "", 1, 4711
    definition, restarts = Service(name="one", command=("x",)), Restarts()
    state = ServiceState.WAITING


@pytest.fixture
def log(house: House) -> Iterator[Log]:
    folder = Folder(house.run / "watch" / "base")
    folder.create()
    folder.log.touch()
    log = Log(folder.log, host="watch", suite="base")
    yield log
    log.close()


@pytest.fixture
def jevsend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place where the reporter looks for its program; there is none yet."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(reporting, "LONGEST_PAUSE", 0.05)
    return tmp_path / reporting.PROGRAM


def reporter(house: House, log: Log) -> Reporter:
    house.define()
    folder = Folder(house.run / "watch" / "base")
    return Reporter(definition.load("watch"), Site("watch", "base", folder, str(house.shared), None), log)


def fail(reporter: Reporter, service: Changed) -> None:
    """The service starts and ends abnormally, once more."""
    for service.state in (ServiceState.STARTING, ServiceState.FAILED):
        reporter.note(cast("RunningService", service))


def entries(house: House, event: str) -> list[dict[str, Any]]:
    lines = (house.run / "watch" / "base" / "spmd.log").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["event"] == event]


def test_an_event_that_cannot_be_spooled_is_tried_again(house: House, log: Log, jevsend: Path) -> None:
    """The program is not there; then it is, and takes the event."""
    taken = jevsend.with_name("taken")

    async def live() -> None:
        tells = reporter(house, log)
        tells.want(wanted=True)
        fail(tells, Changed())
        while not entries(house, "jevsend"):
            await asyncio.sleep(0.01)
        new = jevsend.with_name("new")
        new.write_text(f'#!/bin/sh\necho "$*" >>{taken}\necho \'{{"spooled": true, "messages": []}}\'\n')
        new.chmod(0o755)
        new.rename(jevsend)
        await tells.end()

    asyncio.run(live())
    assert "No such file or directory" in entries(house, "jevsend")[0]["messages"][0]
    assert "--later --product-id 3F90" in taken.read_text().splitlines()[0]
    assert taken.read_text().count("3F90") == 1


def test_no_more_wait_than_fit(house: House, log: Log, jevsend: Path) -> None:
    async def live() -> None:
        tells, service = reporter(house, log), Changed()
        tells.want(wanted=True)
        for _ in range(reporting.WAITING + 2):  # without a pause in which one could leave the queue
            fail(tells, service)

    asyncio.run(live())
    log.close()
    assert len(entries(house, "process event")) == reporting.WAITING + 2
    assert len(entries(house, "process event dropped: too many wait")) == 2
