"""One service as it runs: the effects around the pure life of `service` - launching, signals, notifications, timers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bansho.contract.states import LIVING, ServiceState
from bansho.process import cgroup, environment, identity, launcher, reloading, service, termination
from bansho.process.account import Account
from bansho.process.definition import Service
from bansho.process.environment import Site
from bansho.process.notifysocket import NotifySocket
from bansho.process.patience import ask
from bansho.process.service import Event, Life, Restarts

STATUS_CHARACTERS = 200
STATUS = "STATUS="
REPORTS = {"READY=1": Event.READY, "WATCHDOG=1": Event.BEAT, "STOPPING=1": Event.STOPPING}
"""What a service reports -> what happened to it."""

Changed = Callable[["RunningService"], None]


class RunningService:
    """One service of a suite. `changed` is called after each change of its state or status.

    `awake` is called before a limit counts as passed: whoever stood still meanwhile `spare`s the service that time.
    """

    def __init__(
        self, definition: Service, account: Account, site: Site, changed: Changed, awake: Callable[[], None]
    ) -> None:
        self.definition = definition
        self.site = site
        self.status = ""
        """What it last reported, or how it ended."""
        self.result: int | None = None
        """How it last ended: its exit status, negative for a signal; None while it lives."""
        self.process_id: int | None = None
        """The pid of its first process, also after that has ended; None where it could not be launched."""
        self.restarts = Restarts()
        self.life = Life(since=self._now())
        self._changed, self._awake = changed, awake
        self._account = account
        self._wanted = (definition, account)
        """What counts from its next start on."""
        self._group = cgroup.child(site.group, f"service.{definition.name}") if site.group else None
        path = site.folder.notify(definition.name)
        self._notify = NotifySocket(path, account.uid, account.gid, self._notified, self._is_ours)
        self._process: subprocess.Popen[bytes] | None = None
        self._descriptor = -1
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """Its name in the definition."""
        return self.definition.name

    @property
    def state(self) -> ServiceState:
        """Its state now."""
        return self.life.state

    @property
    def user(self) -> str:
        """Who it runs as."""
        return self._account.variables["USER"]

    @property
    def pid(self) -> int | None:
        """The pid of its first process while that lives."""
        return self._process.pid if self._process else None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def happen(self, event: Event) -> None:
        """Takes in that `event` happened."""
        before, now = self.life, self._now()
        self.life = service.after(before, event, self.definition, now)
        if self.life.limit != before.limit:
            self._set_timer()
        if self.life.killed and not before.killed:
            self._spawn(self._kill())
        if self.life.state is not before.state:
            self._changed(self)

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        limit = self.life.limit
        loop = asyncio.get_running_loop()
        self._timer = None if limit is None else loop.call_at(limit, self._limit_passed, limit)

    def _limit_passed(self, limit: float) -> None:
        """Unless it had more time than we, or what it reported in time waits to be read."""
        self._awake()
        self._notify.read()
        if self.life.limit == limit:
            self.happen(Event.LIMIT_PASSED)

    def spare(self, seconds: float) -> None:
        """Gives it so much more time: nobody heard it, and it may have stood still itself."""
        self.life = service.spared(self.life, self.definition, self._now(), seconds)
        self._set_timer()

    def change(self, definition: Service, account: Account) -> None:
        """Goes over to `definition`: all of it while nothing runs by the old one, else what counts at once."""
        self._wanted = (definition, account)
        if self.state in LIVING:
            self.definition = reloading.until_next_start(self.definition, definition)
        else:
            self._take_up()

    def _take_up(self) -> None:
        self.definition, self._account = self._wanted

    def launch(self) -> None:
        """Starts its program, by way of the launcher."""
        self._take_up()
        self.status, self.result, self.process_id = "", None, None
        self.restarts = self.restarts._replace(launched_at=self._now())
        self.happen(Event.LAUNCHED)
        try:
            self._notify.give(self._account.uid, self._account.gid)
            if self.definition.run_folder:
                self.site.folder.give(self.definition.run_folder, self._account.uid, self._account.gid)
            self._process = subprocess.Popen(
                self._command(),
                env=environment.of_service(self.site, self.definition, self._account.variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.process_id = self._process.pid
            self._descriptor = os.pidfd_open(self.process_id)
        except OSError as error:
            self.status = f"cannot be launched: {error.strerror}"
            self.happen(Event.ENDED)
            return
        asyncio.get_running_loop().add_reader(self._descriptor, self._ended)

    def _command(self) -> list[str]:
        log = Path(self.site.shared, "log", f"{self.site.suite}.{self.name}.log")
        step = [sys.executable, "-I", "-S", launcher.__file__, str(self._group or ""), str(log)]
        return [*step, self._account.become, str(self.site.nice), *self.definition.command]

    def _notified(self, _pid: int, lines: list[str]) -> None:
        """Takes in one message; what it says twice counts once, and of several statuses the last."""
        statuses = [line for line in lines if line.startswith(STATUS)]
        if statuses:
            self._report(statuses[-1].removeprefix(STATUS))
        for line in dict.fromkeys(lines):
            if line in REPORTS:
                self.happen(REPORTS[line])

    def _report(self, status: str) -> None:
        clean = "".join(character if character.isprintable() else " " for character in status[:STATUS_CHARACTERS])
        if clean != self.status:
            self.status = clean
            self._changed(self)

    def _is_ours(self, pid: int) -> bool:
        """Whether the sender is one of its processes: its first one, in its group, or a descendant."""
        if pid == self.pid or (self._group and pid in cgroup.processes(self._group)):
            return True
        ancestor = identity.stat(pid)
        while ancestor and ancestor.parent > 1 and ancestor.parent != self.pid:
            ancestor = identity.stat(ancestor.parent)
        return ancestor is not None and ancestor.parent == self.pid

    def _ended(self) -> None:
        assert self._process is not None  # noqa: S101 - there is a descriptor only while there is a process
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.result = status = self._process.wait()
        self._notify.read()  # its last words may wait there still
        if status != launcher.CANNOT_LAUNCH or not self.status:
            self.status = service.ending(status, self.status)
        self._process = None
        if self.life.asked:
            self._spawn(self._end_stop())
        else:
            self.happen(Event.ENDED)

    async def _end_stop(self) -> None:
        await self.kill_rest()
        self.happen(Event.ENDED)

    def stop(self) -> None:
        """Asks it to end, in its own time."""
        self.happen(Event.ASKED_TO_STOP)
        for number in (signal.SIGTERM, signal.SIGCONT):  # a process that stands still could not obey
            self.signal(number)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to its first process, while that lives."""
        if self._process:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    async def _kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.kill_rest()

    async def kill_rest(self) -> None:
        """Kills all of its processes that are left, and waits until they have ended or will not."""
        folder, name, group = self.site.folder, self.name, self._group
        with suppress(TimeoutError):
            await ask(
                lambda: termination.end(termination.service_scan(folder, name, group), group, service.KILL_LIMIT),
                service.KILL_LIMIT + 1,
            )

    def kill(self) -> None:
        """Kills all of its processes, at once and without waiting."""
        if self.state in LIVING:
            self._spawn(self._kill())

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Gives up its socket and timer."""
        if self._timer:
            self._timer.cancel()
        self._notify.close()
