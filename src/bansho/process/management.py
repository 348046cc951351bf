"""One suite's management from the first record to the last: prepare, supervise, stop, clear away."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from bansho.contract.messages import BanshoError
from bansho.contract.states import SuiteAim
from bansho.logicalhost import lease
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.lease import Keeper, KeeperState
from bansho.process import cgroup, guardian, logrotation, messages, priority, termination, unexpected
from bansho.process.daemon import tell
from bansho.process.environment import Site
from bansho.process.errors import DiskSilent, StartFailed, TurnedRound
from bansho.process.log import Log
from bansho.process.orders import Orders
from bansho.process.patience import ask
from bansho.process.preparation import Found, Preparation, read
from bansho.process.reloading import Change
from bansho.process.reporting import Reporter
from bansho.process.supervision import Supervision

DISK_LIMIT = 15.0
"""Seconds within which the shared disk must answer a start; taking the lease over takes two of them."""
RELEASE_LIMIT = 5.0
ASKED_LIMIT = 3.0
"""Seconds that a start which is refused waits for the order that it answers."""


def run(host: LogicalHost, site: Site, preparation: Preparation, ready: int) -> None:
    """Manages the suite until it has been stopped, and ends the process. `ready` is told when orders are taken."""
    asyncio.run(_live(host, site, preparation, ready))
    os._exit(0)  # a thread that hangs in a dead disk must not keep us


async def _live(host: LogicalHost, site: Site, preparation: Preparation, ready: int) -> None:
    await Management(host, site, preparation).live(ready)


def logs_to_bound(suite: str, services: Iterable[str], keeper: KeeperState) -> list[str]:
    """The names of the services' logs, as long as they are this node's to touch. Pure."""
    return [f"{suite}.{service}.log" for service in services if keeper is KeeperState.HELD]


LEASE = {
    KeeperState.HELD: messages.LEASE_HELD,
    KeeperState.STALLED: messages.LEASE_STALLED,
    KeeperState.LOST: messages.LEASE_LOST,
}


class Management:
    """The process manager of one suite."""

    def __init__(self, host: LogicalHost, site: Site, preparation: Preparation) -> None:
        self._host, self._site, self._preparation = host, site, preparation
        self._log = Log(site.folder.log, host=site.host, suite=site.suite)
        self._supervision = Supervision(site, os.uname().nodename, self._log)
        self._orders = Orders(self._supervision, self._reload, lambda: self._failure)
        self._reporter = Reporter(host, site, self._log)
        self._supervision.told = self._reporter.note
        self._keeper: Keeper | None = None
        self._failure = ""

    async def live(self, ready: int) -> None:
        """From the first record to the last."""
        asyncio.get_running_loop().set_exception_handler(unexpected.in_loop(self._log))
        self._preparing = asyncio.create_task(self._prepare())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._supervision.aim_at, SuiteAim.DOWN)
        self._site.folder.control.unlink(missing_ok=True)
        try:
            server = await self._orders.listen(self._site.folder.control)
        except BanshoError as error:
            tell(ready, str(error))
            return
        self._supervision.write_record()
        self._log("process manager began", messages.MANAGER_BEGAN, pid=os.getpid(), cgroup=self._site.group)
        self._note_priority()
        tell(ready, "listening")
        os.close(ready)
        await self._supervision.empty.wait()
        await asyncio.wait({self._preparing}, timeout=RELEASE_LIMIT)  # it may be about to own the lease
        await self._end(server)

    def _note_priority(self) -> None:
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        if nice > priority.MANAGER:
            self._log("priority", messages.PRIORITY_REFUSED, nice=nice, wanted=priority.MANAGER)

    async def _prepare(self) -> None:
        """Brings the suite on its way, or says why not and asks for the end."""
        try:
            found = await self._ask_disk(self._preparation.result, DISK_LIMIT)
            self._begin(found)
        except BanshoError as error:
            await self._refuse(error)
        except Exception as error:  # whatever it was: a suite that is neither up nor down would be "retry" for ever
            await self._refuse(StartFailed(name=self._host.name, suite=self._site.suite, reason=repr(error)))

    async def _refuse(self, error: BanshoError) -> None:
        """Asks for the end, but not before whoever started us is there to be told why."""
        self._log("start refused", messages.START_REFUSED, reason=str(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._orders.asked.wait(), ASKED_LIMIT)
        self._failure = str(error)
        self._supervision.aim_at(SuiteAim.DOWN)

    async def _ask_disk(self, question: Callable[[], Found], limit: float) -> Found:
        try:
            return await ask(question, limit)
        except TimeoutError:
            shared = self._host.shared_directory
            raise DiskSilent(name=self._host.name, path=shared, limit=limit) from None

    def _begin(self, found: Found) -> None:
        site = self._site._replace(epoch=found.lease.epoch if found.lease else 0)
        if found.lease:
            loop = asyncio.get_running_loop()
            self._keeper = Keeper(self._host, found.lease, partial(self._keeper_changed, loop))
            self._keeper.start()
        self._reporter.want(found.reports)
        self._supervision.begin(found.suite, found.accounts, site, self._keeper_state)
        logs = logrotation.keep_bounded(self._host.shared.log, self._logs, self._log)
        self._rotation = asyncio.get_running_loop().create_task(logs)

    def _logs(self) -> list[str]:
        services = [glance.name for glance in self._supervision.glances()]
        return logs_to_bound(self._site.suite, services, self._keeper_state())

    def _keeper_state(self) -> KeeperState:
        return self._keeper.state if self._keeper else KeeperState.HELD

    def _keeper_changed(self, loop: asyncio.AbstractEventLoop, state: KeeperState) -> None:
        """Called in the keeper's thread."""
        self._log("lease", LEASE[state], state=state.value)
        loop.call_soon_threadsafe(self._supervision.look)

    async def _reload(self) -> list[Change]:
        """Reads the definition again; what has changed. Raises a BanshoError, or OSError where the disk fails."""
        await asyncio.wait({self._preparing})  # before that, services would start without the lease
        found = await self._ask_disk(partial(read, self._host, self._site.suite), DISK_LIMIT)
        if self._failure or self._supervision.empty.is_set():
            reason = "nothing of it runs any more"
            raise TurnedRound(name=self._host.name, suite=self._site.suite, order="reload", reason=reason)
        changes = self._supervision.reload(found.suite, found.accounts)
        self._reporter.want(found.reports)
        told = [f"{change}, {change.applied}" for change in changes]
        self._log("definition read again", messages.RELOADED, text=self._supervision.standing.text, changes=told)
        return changes

    async def _end(self, server: asyncio.Server) -> None:
        """After the last service: nothing of the suite stays, and the lease is given back."""
        server.close()
        await self._reporter.end()
        await self._sweep()
        await self._release()
        self._supervision.close()
        self._site.folder.clear()
        if self._site.group:  # the guardian, which lives longer, removes it; unless somebody killed that
            cgroup.leave(self._site.group.parent)
            cgroup.remove(self._site.group)
        guardian.wake()
        self._log("process manager ends", messages.MANAGER_ENDS)
        self._orders.ended.set()
        self._supervision.changed.set()
        await self._orders.drain()
        self._log.close()

    async def _sweep(self) -> None:
        """Kills what the services left behind."""
        spared = (os.getpid(), os.getppid())
        with suppress(TimeoutError):
            survivors = await ask(
                lambda: termination.end(termination.suite_scan(self._site.folder, spared)), termination.LIMIT + 1
            )
            left = [survivor._asdict() for survivor in survivors]
            self._log("swept", messages.LEFT_BEHIND if left else messages.SWEPT, survived=left)

    async def _release(self) -> None:
        if not self._keeper:
            return
        keeper = self._keeper

        def release() -> None:
            keeper.stop()
            lease.release(self._host, self._site.suite)

        try:
            await ask(release, RELEASE_LIMIT)
        except (TimeoutError, OSError, BanshoError) as error:
            reason = str(error) or "the disk does not answer"
            self._log("the lease was not given back", messages.LEASE_KEPT, reason=reason)
