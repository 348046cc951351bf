"""Process events on their way: the contract's `jevsend` spools each, then another one sends; nothing waits for either.

The spool is in the shared directory, so an event of a logical host outlives its node: what the event service has not
acknowledged is sent after the next start, wherever that is. Only the children touch it, since the disk may hang.
"""

import asyncio
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import LogicalHost
from bansho.process import account, messages, processevent, spawning
from bansho.process.definition import Service
from bansho.process.environment import Site
from bansho.process.log import Log
from bansho.process.patience import ask
from bansho.process.processevent import Facts, Kind, Past
from bansho.process.running import RunningService

PROGRAM = "jevsend"
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds between tries, doubling."""
WAITING = 100
"""As many events wait at most for one to get into the spool; a disk that hangs must not cost memory for ever."""
LAST_LIMIT = 2.0
"""Seconds that the last events have to get into the spool before the process manager ends."""
FLUSH = ("--flush",)


class Answer(NamedTuple):
    """How a `jevsend` ended: its value, whether the event is in the spool, and what it had to say."""

    value: int
    spooled: bool
    said: tuple[str, ...]


class Reporter:
    """Sends the process events of one suite, from the first service to the last."""

    def __init__(self, host: LogicalHost, site: Site, log: Log) -> None:
        self._host, self._site, self._log = host, site, log
        self._wanted = False
        self._pasts: WeakKeyDictionary[RunningService, Past] = WeakKeyDictionary()
        self._events: asyncio.Queue[Sequence[str]] = asyncio.Queue(WAITING)
        self._due = asyncio.Event()
        """Set when something may wait in the spool."""
        self._work: list[asyncio.Task[None]] = []
        self._said: dict[str, tuple[str, ...]] = {}

    def want(self, wanted: bool) -> None:
        """Begins to send, or leaves off to take in events; to be called once the definition was read."""
        self._wanted = wanted
        if wanted and not self._work:
            loop = asyncio.get_running_loop()
            self._work = [loop.create_task(self._spool_all()), loop.create_task(self._flush_all())]

    def note(self, changed: RunningService) -> None:
        """Takes in that a service changed; never waits."""
        past = self._pasts.get(changed, Past())
        self._pasts[changed], kind = processevent.after(past, changed.state)
        if not kind or not self._wanted:
            return
        facts = {"event_id": kind.id, "service": changed.name}
        self._log("process event", messages.EVENT_TOLD, **facts)
        try:
            self._events.put_nowait(self._arguments(kind, self._facts(changed)))
        except asyncio.QueueFull:
            self._log("process event dropped: too many wait", messages.EVENT_DROPPED, waiting=WAITING, **facts)

    async def end(self) -> None:
        """Leaves off, once what was noted is in the spool or has had its time for that."""
        if self._work:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._events.join(), LAST_LIMIT)
        for task in self._work:
            task.cancel()

    def _facts(self, changed: RunningService) -> Facts:
        lived = asyncio.get_running_loop().time() - changed.restarts.launched_at
        now = time.time()
        return Facts(
            host=self._site.host,
            suite=self._site.suite,
            node=os.uname().nodename,
            service=changed.name,
            pid=changed.process_id,
            user=changed.user,
            status=changed.status,
            started=now - lived,
            at=now,
            result=changed.result,
            limit=changed.definition.start_limit or 0,
            restarts=changed.restarts.done,
        )

    def _arguments(self, kind: Kind, facts: Facts) -> list[str]:
        given = ["--product-id", kind.id, "--severity", kind.severity, "-m", processevent.line(kind, facts)]
        for name, value in processevent.attributes(kind, facts).items():
            given += ["-e", f"{name}={value}"]
        return given

    async def _spool_all(self) -> None:
        """Gets each event into the spool; a full disk may have space again."""
        while True:
            event = await self._events.get()
            while not (await self._ask(["--later", *event])).spooled:
                await asyncio.sleep(LONGEST_PAUSE)
            self._events.task_done()
            self._due.set()

    async def _flush_all(self) -> None:
        """Sends what is in the spool, also from the time before, again and again until it has arrived."""
        if await ask(self._left_over, math.inf):
            self._due.set()
        while True:
            await self._due.wait()
            self._due.clear()
            pause = FIRST_PAUSE
            while (await self._ask(FLUSH)).value:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _left_over(self) -> bool:
        return any(self._host.shared.spool.glob("*/[0-9]*.json"))

    async def _ask(self, arguments: Sequence[str]) -> Answer:
        """What `jevsend` answers, however long that takes; the log has what is new of it."""
        answer = await ask(partial(self._jevsend, arguments), math.inf)
        if answer.said != self._said.get(arguments[0], ()):
            message = messages.JEVSEND_SAYS if answer.said else messages.JEVSEND_WELL
            self._log("jevsend", message, value=answer.value, messages=answer.said)
        self._said[arguments[0]] = answer.said
        return answer

    def _jevsend(self, arguments: Sequence[str]) -> Answer:
        """In a thread, as long as the disk and the event service make it take: as the logical host's user."""
        shared, name = self._host.shared, self._host.name
        source = ["-h", name, "-s", f"{name}:process-manager", "--token-file", str(shared.process_manager_token)]
        program = str(Path(sys.executable).with_name(PROGRAM))
        try:
            who = account.of(Service(name=PROGRAM, command=(program,), user=self._host.user))
            ended = subprocess.run(
                [program, *source, "--json", *arguments],
                env=spawning.kept() | who.variables | {"BANSHO_SPOOL": str(shared.spool)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                umask=0o077,
                user=who.uid if who.become else None,
                group=who.gid if who.become else None,
                extra_groups=[] if who.become else None,
            )
        except (BanshoError, OSError) as error:
            return Answer(1, spooled=False, said=(str(error),))
        return _answer(ended)


def _answer(ended: "subprocess.CompletedProcess[bytes]") -> Answer:
    """What it answered. One that was killed may have spooled the event: it is not sent twice, but looked for."""
    try:
        said = json.loads(ended.stdout)
        return Answer(ended.returncode, said["spooled"], tuple(said["messages"]))
    except (ValueError, KeyError, TypeError):
        return Answer(ended.returncode or 1, spooled=True, said=(ended.stderr.decode(errors="replace").strip(),))
