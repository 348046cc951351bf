"""Intake by group commit: one thread writes whatever has come in meanwhile in one transaction, then answers it.

So a commit's wait for the disk is shared by all who wait, and nobody is answered before the commit.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from bansho.base.errors import Busy, StoreFailed
from bansho.base.metrics import Metrics
from bansho.base.store import Store
from bansho.contract.messages import BanshoError
from bansho.events.fastpath import NewEvent
from bansho.events.wire import Registration

WAITING = 20_000
"""The most events that may wait for the writer; beyond it a sender is told to come again."""

GROUP = 2_000
"""A group takes no further request once it has this many events."""

Answers = list[Registration]


class Job(NamedTuple):
    """What the writer has to do for one request: store events; or, without any, show that it lives."""

    events: Sequence[NewEvent]
    probe: bool
    """Whether to find out if an event could be stored, where the last commit failed."""
    answer: "asyncio.Future[Answers]"


class Intake:
    """The writer's thread, and what the event loop sees of it. Every method but `_write` belongs to the event loop.

    `changed` is called when intake begins to be refused, with the reason, and with None when it goes on.
    """

    def __init__(self, store: Store, metrics: Metrics, changed: Callable[[BanshoError | None], None]) -> None:
        self.last = store.last
        """The newest committed serial."""
        self.waiting = 0
        """Events that wait for the writer."""
        self.refusal: BanshoError | None = None
        """Why the last attempt to write failed; None: it did not."""
        self._store, self._metrics, self._changed = store, metrics, changed
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._ending = False
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._write, name="writer", daemon=True)
        self._thread.start()

    async def register(self, events: Sequence[NewEvent]) -> Answers:
        """Stores the events durably; all or nothing. Raises Busy, NoSpace, StoreFailed or LeaseLost."""
        if self.waiting + len(events) > WAITING:
            raise Busy(reason=f"{self.waiting:,} events are waiting")
        self.waiting += len(events)
        try:
            return await self._done(events)
        finally:
            self.waiting -= len(events)

    async def beat(self) -> None:
        """Returns when the writer has come round once: then it lives. Touches no disk."""
        await self._done(())

    async def check(self) -> None:
        """Returns when an event could be taken in. Raises as `register`."""
        await self._done((), probe=True)

    async def beyond(self, serial: int, seconds: float) -> None:
        """Returns when there is an event beyond `serial`, or `seconds` have passed, or the service is ending."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.last <= serial and not self._ending:
                    await self._news.wait()

    def release(self) -> None:
        """Ends every wait in `beyond`, now and from now on."""
        self._ending = True
        self._wake()

    def close(self) -> None:
        """Ends the writer after what is queued, and the store."""
        self._queue.put(None)
        self._thread.join()
        self._store.close()

    def _done(self, events: Sequence[NewEvent], *, probe: bool = False) -> "asyncio.Future[Answers]":
        job = Job(events, probe, self._loop.create_future())
        self._queue.put(job)
        return job.answer

    def _write(self) -> None:
        """The writer's thread."""
        while jobs := self._group():
            self._loop.call_soon_threadsafe(self._answer, jobs, self._commit(jobs))

    def _group(self) -> list[Job]:
        """What has come in; waits for the first. Empty at the end."""
        jobs: list[Job] = []
        size = 0
        while size < GROUP and not (jobs and self._queue.empty()):
            job = self._queue.get()
            if job is None:
                self._queue.put(None)
                break
            jobs.append(job)
            size += len(job.events)
        return jobs

    def _commit(self, jobs: list[Job]) -> Answers | BanshoError:
        events = [event for job in jobs for event in job.events]
        started = time.perf_counter()
        try:
            if events:
                answers = self._store.add(events, time.time())
                self._metrics.committed(answers, time.perf_counter() - started)
                return answers
            if any(job.probe for job in jobs):
                self._store.check(writing=self.refusal is not None)
        except BanshoError as error:
            return error
        except Exception as error:  # whatever it is, nobody may wait for an answer for ever
            return StoreFailed(path=self._store.path, reason=repr(error))
        return []

    def _answer(self, jobs: list[Job], outcome: Answers | BanshoError) -> None:
        """Gives each job its part of the outcome."""
        self._note(jobs, outcome)
        start = 0
        for job in jobs:
            end = start + len(job.events)
            if job.answer.cancelled():
                pass
            elif not isinstance(outcome, BanshoError):
                job.answer.set_result(outcome[start:end])
            elif job.events or job.probe:
                job.answer.set_exception(outcome)
            else:
                job.answer.set_result([])
            start = end

    def _note(self, jobs: list[Job], outcome: Answers | BanshoError) -> None:
        """Keeps `refusal` and `last`, and tells who waits for either."""
        if any(job.events or job.probe for job in jobs):
            before, self.refusal = self.refusal, outcome if isinstance(outcome, BanshoError) else None
            if (before is None) != (self.refusal is None):
                self._changed(self.refusal)
        if self._store.last != self.last:
            self.last = self._store.last
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
