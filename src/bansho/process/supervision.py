"""The supervision of one suite: what was asked of it, its services, and the status record that says how it stands.

Every change of a service comes here; one look at the states then decides what may start and what must stop (`graph`),
and writes the record. Nothing here waits, and nothing touches the shared disk.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from bansho.contract import operation
from bansho.contract.limits import BEAT, LEASE_STALLED, STALE_BEATS
from bansho.contract.messages import BanshoError
from bansho.contract.states import LIVING, ServiceState, SuiteAim, suite_value
from bansho.logicalhost.lease import KeeperState
from bansho.process import graph, messages, record, service, text
from bansho.process.account import Account
from bansho.process.definition import Suite
from bansho.process.environment import Site
from bansho.process.log import Log
from bansho.process.reloading import Change, changes
from bansho.process.running import RunningService
from bansho.process.service import Event
from bansho.process.text import Glance
from bansho.process.well import Well

Accounts = Mapping[str, Account]
"""Service -> the user that it runs as."""

STATUS_LIMIT = 0.1
"""Seconds until the record has a status that a service reported: it may report a thousand of them a second."""
PREPARING = "preparing: definition and shared directory"
DOWN = frozenset({ServiceState.FAILED, ServiceState.HUNG, ServiceState.OVERDUE})
"""States that nobody asked for."""
DISK_TROUBLE = {
    KeeperState.STALLED: "the shared directory does not answer",
    KeeperState.LOST: "another node took the shared directory over; every service was killed",
}


class Standing(NamedTuple):
    """How the suite stands: its value of 3.2, and the line for a person."""

    value: int
    text: str


class Supervision:
    """One suite under its process manager. `look` is to be called after whatever could matter; changes call it."""

    def __init__(self, site: Site, node: str, log: Log) -> None:
        self.site = site
        self.aim = SuiteAim.UP
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, at each change."""
        self.empty = asyncio.Event()
        """Set when the suite was asked to stop and no service has a process any more; from then on nothing starts."""
        self.told: Callable[[RunningService], None] = lambda _: None
        """Called with each service that changed, as long as the shared directory may be ours."""
        self._node, self._log = node, log
        self._definition: Suite | None = None
        self._services: dict[str, RunningService] = {}
        self._leaving: list[RunningService] = []
        self._logged: WeakKeyDictionary[RunningService, ServiceState] = WeakKeyDictionary()
        self._keeper: Callable[[], KeeperState] = lambda: KeeperState.HELD
        self._looking = False
        self._status_due: asyncio.TimerHandle | None = None
        self._since = time.time()
        self._beat = asyncio.get_running_loop().call_later(BEAT, self.write_record)
        self._killed = False
        self._well = Well(site.folder.well)
        self._seen, self._awoke = asyncio.get_running_loop().time(), float("-inf")

    def begin(self, definition: Suite, accounts: Accounts, site: Site, keeper: Callable[[], KeeperState]) -> None:
        """Takes over the definition and what the preparation found. Raises PlaceTooLong."""
        self.site, self._keeper = site, keeper
        self.reload(definition, accounts)

    def reload(self, definition: Suite, accounts: Accounts) -> list[Change]:
        """Goes over to `definition`: new services start, dropped ones stop, others change as `reloading` says.

        Returns what has changed. Raises PlaceTooLong, and then nothing has.
        """
        fresh = self._fresh(definition, accounts)
        found = self._changes(definition)
        for name in self._services.keys() - definition.enabled.keys():
            self._leaving.append(self._services.pop(name))
            self._leaving[-1].stop()
        for name, kept in self._services.items():
            kept.change(definition.enabled[name], accounts[name])
        self._services = {name: (self._services | fresh)[name] for name in definition.enabled}
        self._definition = definition
        self.look()
        return found

    def _changes(self, definition: Suite) -> list[Change]:
        """What is different in `definition` from what the services run by."""
        if not self._definition:
            return []
        running = tuple(each.definition for each in self._services.values())
        unlaunched = {name for name, state in self._states().items() if state is ServiceState.WAITING}
        return changes(msgspec.structs.replace(self._definition, service=running), definition, unlaunched)

    def _fresh(self, definition: Suite, accounts: Accounts) -> dict[str, RunningService]:
        """The services that are new in `definition`; all of them or none."""
        fresh: dict[str, RunningService] = {}
        try:
            for name, wanted in definition.enabled.items():
                if name not in self._services:
                    account = accounts[name]
                    fresh[name] = RunningService(wanted, account, self.site, self._service_changed, self._note_pause)
        except BanshoError:
            for each in fresh.values():
                each.close()
            raise
        return fresh

    def aim_at(self, aim: SuiteAim) -> None:
        """Asks for the suite to be up, or down. What is under way the other way round is turned round in order."""
        if aim is not self.aim and not self.empty.is_set():
            self._log("asked", messages.ASKED, aim=aim.value)
            self.aim, self._since = aim, time.time()
            for each in self._services.values():
                self._wake(each)
        self.look()

    def _wake(self, stopped: RunningService) -> None:
        """What was stopped is to run again: it waits from this moment on, so nobody ever sees it as down for good."""
        is_wanted = self.aim is SuiteAim.UP and not self.empty.is_set()
        if is_wanted and stopped.state is ServiceState.STOPPED and self._services.get(stopped.name) is stopped:
            stopped.happen(Event.AGAIN)

    def look(self) -> None:
        """Has the suite looked at, once, in the next round of the loop."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look_before_long(self) -> None:
        if not self._status_due:
            self._status_due = asyncio.get_running_loop().call_later(STATUS_LIMIT, self.look)

    def _look(self) -> None:
        self._looking = False
        if self._status_due:
            self._status_due.cancel()
            self._status_due = None
        keeper = self._keeper()
        if keeper is KeeperState.LOST:
            self._kill_all()
        elif self._definition and not self.empty.is_set():
            self._start_what_may() if self.aim is SuiteAim.UP else self._stop_what_must()
        self._leaving = [leaver for leaver in self._leaving if not self._has_left(leaver)]
        if self.aim is SuiteAim.DOWN and not any(each.state in LIVING for each in self._all()):
            self.empty.set()
        self.write_record()
        self.changed.set()
        self.changed = asyncio.Event()

    def _all(self) -> Iterable[RunningService]:
        return (*self._services.values(), *self._leaving)

    def _states(self) -> dict[str, ServiceState]:
        return {name: each.state for name, each in self._services.items()}

    def _start_what_may(self) -> None:
        for name in graph.may_start(self._dependencies(), self._states()):
            self._services[name].launch()

    def _stop_what_must(self) -> None:
        asked = {name for name, each in self._services.items() if each.life.asked}
        for name in graph.must_stop(self._dependencies(), self._states(), asked):
            self._services[name].stop()
        for each in self._services.values():
            if each.state in {ServiceState.WAITING, ServiceState.FAILED}:
                each.stop()

    def _dependencies(self) -> graph.Dependencies:
        return self._definition.dependencies if self._definition else {}

    def _kill_all(self) -> None:
        if not self._killed:
            self._log("killing every service: the lease was lost", messages.KILLED_ALL)
            self._killed = True
            for each in self._all():
                each.kill()

    def _has_left(self, leaver: RunningService) -> bool:
        if leaver.state in LIVING:
            return False
        leaver.close()
        return True

    def _service_changed(self, changed: RunningService) -> None:
        if self._logged.get(changed) is changed.state:  # a status alone is for the record
            self._look_before_long()
            return
        self._logged[changed] = changed.state
        self._note(changed)
        if self._keeper() is not KeeperState.LOST:
            self.told(changed)
        if changed.state is ServiceState.FAILED and self.aim is SuiteAim.UP:
            self._failed(changed)
        self._wake(changed)
        self.look()

    def _note(self, changed: RunningService) -> None:
        message = messages.SERVICE_DOWN if changed.state in DOWN else messages.SERVICE_STATE
        facts = {"state": changed.state.value, "status": changed.status, "pid": changed.pid}
        self._log("service", message, service=changed.name, **facts)

    def _failed(self, failed: RunningService) -> None:
        again = service.restart(failed.restarts, failed.definition, asyncio.get_running_loop().time())
        if again:
            failed.restarts = again
            asyncio.get_running_loop().call_later(failed.definition.restart_interval, self._restart, failed)
        elif self._definition and self._definition.on_service_failure == "stop-all":
            self.aim_at(SuiteAim.DOWN)

    def _restart(self, failed: RunningService) -> None:
        if failed.state is ServiceState.FAILED and self.aim is SuiteAim.UP:
            self._log("service restarted", messages.SERVICE_AGAIN, service=failed.name, count=failed.restarts.done)
            failed.happen(Event.AGAIN)

    @property
    def standing(self) -> Standing:
        """How the suite stands now."""
        keeper = self._keeper()
        value = self._value(keeper)
        glances = self.glances()
        why = DISK_TROUBLE.get(keeper) or ("" if value == operation.ALL_RUNNING else text.reasons(glances))
        line = text.line(self.site.host, self.site.suite, value, why or ("" if self._definition else PREPARING))
        return Standing(value, line)

    def _value(self, keeper: KeeperState) -> int:
        if not self._definition or (keeper is KeeperState.STALLED and self._just_awoke()):
            return operation.RETRY
        return suite_value(self.aim, self._states().values(), directory_available=keeper is KeeperState.HELD)

    @property
    def settled(self) -> bool:
        """Whether a start has nothing to wait for any more."""
        return self._keeper() is KeeperState.LOST or (
            self._definition is not None and graph.settled(self._dependencies(), self._states())
        )

    def glances(self) -> list[Glance]:
        """The required services, and those that leave."""
        now = asyncio.get_running_loop().time()
        return [Glance(each.name, each.state, now - each.life.since, each.status) for each in self._all()]

    def write_record(self) -> None:
        """Writes the status record, and sees to it that it is written again after a beat."""
        self._beat.cancel()
        self._beat = asyncio.get_running_loop().call_later(BEAT, self.write_record)
        self._note_pause()
        standing = self.standing
        said = {"value": standing.value, "meaning": text.meaning(standing.value), "text": standing.text}
        document = self.document() | said
        try:
            record.write(self.site.folder.record, record.own(standing.value, standing.text, document))
            self._well.show(standing.value == operation.ALL_RUNNING)
        except OSError as error:  # it goes stale, and the status says so
            self._log("the status record cannot be written", messages.RECORD_UNWRITTEN, reason=str(error))

    def _note_pause(self) -> None:
        """After a pause of this whole process, and maybe of the node, nothing may look as old as the pause was long.

        The lease does until it is looked at; each service has what is left of its limit still before it.
        """
        now = asyncio.get_running_loop().time()
        pause = now - self._seen
        self._seen = now
        if pause > STALE_BEATS * BEAT:
            self._awoke = now
            for each in self._all():
                each.spare(pause)

    def _just_awoke(self) -> bool:
        return asyncio.get_running_loop().time() - self._awoke < LEASE_STALLED

    def document(self) -> dict[str, Any]:
        """The suite as plain data: the details in the record."""
        return {
            "host": self.site.host,
            "suite": self.site.suite,
            "aim": self.aim.value,
            "epoch": self.site.epoch,
            "node": self._node,
            "since": round(self._since, 3),
            "services": [self._service_document(each) for each in self._all()],
        }

    def _service_document(self, each: RunningService) -> dict[str, Any]:
        age = asyncio.get_running_loop().time() - each.life.since
        return {
            "name": each.name,
            "state": each.state.value,
            "pid": each.pid,
            "required": each not in self._leaving,
            "since": round(time.time() - age, 3),
            "status": each.status,
        }

    def close(self) -> None:
        """Gives up sockets and timers; the record is written no more."""
        self._beat.cancel()
        self._looking = True
        self._well.show(well=False)
        for each in self._all():
            each.close()
