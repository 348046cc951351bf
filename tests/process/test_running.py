"""One service as the process manager has it, without a process: what of its time counts."""

import asyncio
import os
import socket
from collections.abc import Callable

import pytest
from tests.house import House

from bansho.contract.states import ServiceState
from bansho.process import account, notifysocket
from bansho.process.definition import Service
from bansho.process.environment import Site
from bansho.process.folder import Folder
from bansho.process.running import RunningService
from bansho.process.service import Event

SERVICE = Service(name="one", command=("one",), start_limit=60.0, watchdog=60.0)


def ready(house: House, awake: Callable[[], None] = lambda: None) -> RunningService:
    """A service that has just become ready."""
    folder = Folder(house.run / "watch" / "base")
    folder.create()
    site = Site("watch", "base", folder, str(house.shared), None)
    made = RunningService(SERVICE, account.of(SERVICE), site, lambda _: None, awake)
    made.happen(Event.LAUNCHED)
    made.happen(Event.READY)
    return made


def pass_limit(service: RunningService) -> None:
    """Has the service's limit pass, before its time."""
    assert service.life.limit is not None
    service._limit_passed(service.life.limit)


def test_a_limit_passes(house: House) -> None:
    async def live() -> None:
        service = ready(house)
        pass_limit(service)
        assert service.state is ServiceState.HUNG
        service.close()

    asyncio.run(live())


def test_a_beat_that_waits_in_a_flood_has_come_in_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifysocket, "REST", 1e6)
    monkeypatch.setattr(RunningService, "_is_ours", lambda _service, pid: pid == os.getpid())

    async def live() -> None:
        service = ready(house)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(house.run / "watch" / "base" / "notify" / "one"))
            for _ in range(notifysocket.room()):
                sender.send(b"STATUS=a flood")
            while not service.status:
                await asyncio.sleep(0)
            sender.send(b"WATCHDOG=1")
            pass_limit(service)
        assert service.state is ServiceState.READY
        service.close()

    asyncio.run(live())


def test_what_it_is_spared_counts(house: House) -> None:
    async def live() -> None:
        service = ready(house, lambda: service.spare(1.0))
        pass_limit(service)
        assert service.state is ServiceState.READY
        service.close()

    asyncio.run(live())
