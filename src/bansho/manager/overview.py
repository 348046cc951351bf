"""The logical host at a glance: what the page `/host` and the JSON API say about it.

Everything is read where its owner leaves it: suites from their status records, the database by a query, Base by its
HTTP interface, the cluster by the socket that its agent has answered, takeovers from the history on the shared disk.
What cannot be read is None, never a guess.
"""

import asyncio
import itertools
import os
import time
from typing import Literal

import httpx
import msgspec

from bansho.events.wire import State
from bansho.logicalhost import history, timeline
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.history import Takeover
from bansho.manager import findings, queries
from bansho.manager.clusterview import Cluster, ClusterView
from bansho.manager.errors import ConsoleError
from bansho.manager.findings import Finding, Weight
from bansho.manager.suiteview import SuiteView, suite_view

FRESH = 1.0
"""An overview is made at most once in this many seconds, however many look at it."""
TAKEOVERS = 20
"""The most takeovers that are shown."""
BASE_TIMEOUT = 1.0


class DatabaseView(msgspec.Struct, frozen=True, kw_only=True):
    """The IM database."""

    connected: bool
    size: int | None = None
    """Bytes on the disk."""
    high_water: int | None = None
    """The last serial taken over from Base."""
    base_last: int | None = None
    """The newest serial of Base."""
    lag: int | None = None
    """How many serials the IM database is behind Base."""


class LegView(msgspec.Struct, frozen=True):
    """One leg of a takeover; both times are seconds after the takeover's `since`."""

    leg: str
    title: str
    began: float
    """When what it waited for was done."""
    seconds: float
    """When it was reached."""


class TakeoverView(msgspec.Struct, frozen=True, kw_only=True):
    """One claim of the shared directory."""

    epoch: int
    node: str
    previous: str | None
    given_back: bool
    """Whether the previous owner gave it back in order; else it fell silent."""
    since: float
    """Where it begins: the previous owner's last sign of life where that is known; seconds since 1970."""
    at: float
    """When the shared directory was claimed; seconds since 1970."""
    seconds: float | None
    """From `since` until Manager was all running; None where it was not."""
    first_event: float | None
    """From `since` until the first event was acknowledged; None where that was not soon."""
    legs: list[LegView]


class HostView(msgspec.Struct, frozen=True, kw_only=True):
    """A logical host."""

    name: str
    kind: str
    address: str
    node: str
    since: float | None
    """Since when it is this node's; seconds since 1970, None where the history does not say."""
    epoch: int
    """Grows by one with each takeover; 0 on a physical host."""
    verdict: Weight | Literal["good"]
    """The heaviest of the findings."""
    findings: list[Finding]
    could_take_over: list[str] | None
    """The other nodes that could run it now; None where the cluster does not say."""
    cluster: ClusterView
    suites: list[SuiteView]
    database: DatabaseView
    takeovers: list[TakeoverView]


class Overview:
    """Makes the view of one logical host, and keeps it for a moment."""

    def __init__(self, host: LogicalHost, connections: queries.Pool, base: httpx.AsyncClient) -> None:
        self._host, self._connections, self._base = host, connections, base
        self._cluster = Cluster(host.node.cluster_socket)
        self._lock = asyncio.Lock()
        self._made: tuple[float, HostView] | None = None

    async def view(self) -> HostView:
        """The logical host now, or a moment ago."""
        async with self._lock:
            if self._made is None or time.monotonic() - self._made[0] > FRESH:
                self._made = time.monotonic(), await self._make()
            return self._made[1]

    async def _make(self) -> HostView:
        host, node = self._host, os.uname().nodename
        database, cluster, takeovers = await asyncio.gather(
            self._database(), self._cluster.view(), asyncio.to_thread(takeover_views, host)
        )
        suites = [suite_view(name, host.node.suite(name) / "record") for name in host.suites]
        found = findings.ordered(
            itertools.chain(
                findings.of_suites(host.name, host.shared.log, suites, cluster),
                findings.of_database(database.connected, database.lag),
                findings.of_cluster(host.name, host.kind, node, cluster),
            )
        )
        return HostView(
            name=host.name,
            kind=host.kind,
            address=host.address,
            node=node,
            since=takeovers[0].at if takeovers and host.is_logical else None,
            epoch=int(os.environ.get("BANSHO_EPOCH") or 0),
            verdict=found[0].weight if found else "good",
            findings=found,
            could_take_over=findings.successors(cluster.state, node) if cluster.state else None,
            suites=suites,
            database=database,
            cluster=cluster,
            takeovers=takeovers,
        )

    async def _database(self) -> DatabaseView:
        base_last = await self._base_last()
        try:
            size, high_water = await queries.figures(self._connections)
        except ConsoleError:
            return DatabaseView(connected=False, base_last=base_last)
        lag = None if base_last is None else max(0, base_last - high_water)
        return DatabaseView(connected=True, size=size, high_water=high_water, base_last=base_last, lag=lag)

    async def _base_last(self) -> int | None:
        try:
            answer = await self._base.get("/api/v1/state", headers=_token(self._host))
            return msgspec.json.decode(answer.content, type=State).last if answer.is_success else None
        except (httpx.HTTPError, msgspec.MsgspecError, OSError):
            return None


def base_client(host: LogicalHost) -> httpx.AsyncClient:
    """A client of the logical host's own event service."""
    address = f"[{host.ip}]" if ":" in host.ip else host.ip
    url = f"http://{address}:{host.ports.event_service}"
    return httpx.AsyncClient(base_url=url, timeout=BASE_TIMEOUT, trust_env=False)


def _token(host: LogicalHost) -> dict[str, str]:
    """What lets Manager read from Base; `bansho setup` makes it. Raises OSError."""
    token = (host.shared.conf / "event-base.token").read_text(encoding="ascii").strip()
    return {"Authorization": f"Bearer {token}"}


def takeover_views(host: LogicalHost) -> list[TakeoverView]:
    """The newest takeovers, newest first; none where the history cannot be read."""
    try:
        found = history.read(host.shared)
    except (OSError, KeyError):
        return []
    return [takeover_view(each) for each in found[:TAKEOVERS]]


def takeover_view(takeover: Takeover) -> TakeoverView:
    """A takeover with its legs on one axis."""
    line = timeline.timeline(takeover)
    legs = [LegView(each.name, each.title, each.began, each.reached) for each in line.legs]
    return TakeoverView(
        epoch=takeover.epoch,
        node=takeover.node,
        previous=takeover.previous,
        given_back=takeover.legs[0].facts.get("given_back") is True,
        since=line.origin,
        at=takeover.at,
        seconds=line.seconds,
        first_event=next((each.seconds for each in legs if each.leg == timeline.FIRST_EVENT), None),
        legs=legs,
    )
