"""The logical host at a glance: what the page `/host` and the JSON API say about it.

Everything is read where its owner leaves it: suites from their status records, the database by a query, Base by its
HTTP interface, takeovers from the history on the shared disk. What cannot be read is None, never a guess.
"""

import asyncio
import os
import time
from pathlib import Path

import httpx
import msgspec

from bansho.contract import operation
from bansho.events.wire import State
from bansho.logicalhost import history
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.history import Takeover
from bansho.manager import queries
from bansho.manager.errors import ConsoleError
from bansho.process import record
from bansho.process.record import Trust

FRESH = 1.0
"""An overview is made at most once in this many seconds, however many look at it."""
TAKEOVERS = 20
"""The most takeovers that are shown."""
LAST_LEG = "manager started"
BASE_TIMEOUT = 1.0
UNKNOWN = "unknown"


class ServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """One service, as its suite's status record has it."""

    name: str
    state: str
    required: bool = True
    pid: int | None = None
    since: float | None = None
    """Seconds since 1970, since when it is in this state."""
    status: str | None = None
    """What the service says about itself."""


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What the console shows of a status record's document."""

    services: list[ServiceView] = []


class SuiteView(msgspec.Struct, frozen=True, kw_only=True):
    """One suite on this node."""

    name: str
    value: int | None
    """The value of operation monitoring, 3.2; None where there is no record of a living process manager."""
    meaning: str
    text: str
    services: list[ServiceView]


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
    """One leg of a takeover, and when it was reached, in seconds after the shared directory was claimed."""

    leg: str
    seconds: float


class TakeoverView(msgspec.Struct, frozen=True, kw_only=True):
    """One claim of the shared directory."""

    epoch: int
    node: str
    previous: str | None
    at: float
    """Seconds since 1970."""
    seconds: float | None
    """From the claim of the shared directory until Manager was started; None where it was not."""
    legs: list[LegView]


class HostView(msgspec.Struct, frozen=True, kw_only=True):
    """A logical host."""

    name: str
    kind: str
    address: str
    node: str
    epoch: int
    """Grows by one with each takeover; 0 on a physical host."""
    suites: list[SuiteView]
    database: DatabaseView
    takeovers: list[TakeoverView]


class Overview:
    """Makes the view of one logical host, and keeps it for a moment."""

    def __init__(self, host: LogicalHost, connections: queries.Pool, base: httpx.AsyncClient) -> None:
        self._host, self._connections, self._base = host, connections, base
        self._lock = asyncio.Lock()
        self._made: tuple[float, HostView] | None = None

    async def view(self) -> HostView:
        """The logical host now, or a moment ago."""
        async with self._lock:
            if self._made is None or time.monotonic() - self._made[0] > FRESH:
                self._made = time.monotonic(), await self._make()
            return self._made[1]

    async def _make(self) -> HostView:
        host = self._host
        return HostView(
            name=host.name,
            kind=host.kind,
            address=host.address,
            node=os.uname().nodename,
            epoch=int(os.environ.get("BANSHO_EPOCH") or 0),
            suites=[suite_view(name, host.node.suite(name) / "record") for name in host.suites],
            database=await self._database(),
            takeovers=await asyncio.to_thread(takeover_views, host),
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


def suite_view(name: str, path: Path) -> SuiteView:
    """The suite as its status record has it (docs/house.md, "The status record")."""
    try:
        found = record.read(path)
        details = None if found is None else msgspec.convert(record.details(found), Details)
    except (record.Damage, msgspec.ValidationError):
        return SuiteView(name=name, value=None, meaning=UNKNOWN, text="its status record is damaged", services=[])
    if found is None or details is None:
        return SuiteView(name=name, value=None, meaning=UNKNOWN, text="no status record on this node", services=[])
    if record.trust_now(found) is not Trust.FRESH:
        text = "its process manager is silent: what follows is what it wrote last"
        return SuiteView(name=name, value=None, meaning=UNKNOWN, text=text, services=details.services)
    row = operation.TABLE.get(found.value)
    meaning = row.meaning if row else UNKNOWN
    return SuiteView(name=name, value=found.value, meaning=meaning, text=found.text, services=details.services)


def takeover_views(host: LogicalHost) -> list[TakeoverView]:
    """The newest takeovers, newest first; none where the history cannot be read."""
    try:
        found = history.read(host.shared)
    except (OSError, KeyError):
        return []
    return [takeover_view(each) for each in found[:TAKEOVERS]]


def takeover_view(takeover: Takeover) -> TakeoverView:
    """A takeover with each leg once, up to the start of Manager; what was marked later is not of the takeover."""
    legs: list[LegView] = []
    for each in takeover.legs[1:]:
        if each.leg not in {leg.leg for leg in legs}:
            legs.append(LegView(each.leg, max(0.0, each.at - takeover.at)))
        if each.leg == LAST_LEG:
            break
    return TakeoverView(
        epoch=takeover.epoch,
        node=takeover.node,
        previous=takeover.previous,
        at=takeover.at,
        seconds=legs[-1].seconds if legs and legs[-1].leg == LAST_LEG else None,
        legs=legs,
    )
