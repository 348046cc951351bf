"""Base as the event base sees it: an HTTP server that gives events by serial (docs/house.md, "Base, over HTTP")."""

from typing import Self, TypeVar

import httpx
import msgspec

from bansho.contract.messages import BanshoError
from bansho.events.wire import Page, State
from bansho.logicalhost.definition import LogicalHost

PAGE = 1000
"""Events in one answer at most, as Base has it."""
LARGEST_ANSWER = 128 << 20
"""A page of the largest events, in the longest way to write them as JSON, is half of this."""
CONNECT = 2.0
"""Seconds for a connection; the address is on this node."""
SLACK = 2.0
"""Seconds that an answer may take beyond the wait that it was asked for."""

Shape = TypeVar("Shape")


class BaseAway(BanshoError):
    """Raised when Base does not answer, or says that it cannot now. It passes: Base restarts, or is stopped.

    Action: none where Base starts again by itself; else start Base.
    """

    id = "BSHO5003-E"
    text = "Base at {url} does not answer ({reason}); its events wait there"


class BaseRefuses(BanshoError):
    """Raised when Base answers and will not give events. It does not pass by waiting."""

    id = "BSHO5004-E"
    text = (
        "Base at {url} refuses ({reason}): expected it to take the token in {token}; make one with: bansho setup {name}"
    )


class BaseUnlike(BanshoError):
    """Raised when what answers at Base's address is not Base as this bansho knows it.

    Action: install the same bansho for Base and for Manager, and look at what listens on that port.
    """

    id = "BSHO5005-E"
    text = "Base at {url}: expected an answer as this bansho gives it, got {reason}; is it another version of bansho?"


class BaseReset(BanshoError):
    """Raised when Base's serials end before what was taken over: its event store is another one, or an old copy."""

    id = "BSHO5006-E"
    text = (
        "Base at {url}: its last event is {last}, and events up to {high_water} were taken over already: its event"
        " store is another or an older one; restore the right one, since new events would be taken for old ones"
    )


class TokenAbsent(BanshoError):
    """Raised when the event base has no token for Base."""

    id = "BSHO5007-E"
    text = "{path}: expected the token by which Manager reads from Base ({reason}); make it with: bansho setup {name}"


class Source:
    """Base's events. An asynchronous context manager; one connection, kept open."""

    def __init__(self, host: LogicalHost) -> None:
        self._name = host.name
        self._token_path = host.shared.conf / "event-base.token"
        address = f"[{host.ip}]" if ":" in host.ip else host.ip
        self.url = f"http://{address}:{host.ports.event_service}"
        self._client = httpx.AsyncClient(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {self._token()}"},
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def _token(self) -> str:
        try:
            return self._token_path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TokenAbsent(path=self._token_path, reason=error, name=self._name) from None

    async def check(self, high_water: int) -> None:
        """Raises BaseReset where Base has not even what was taken over; else as `after`."""
        state = await self._get("/state", {}, 0, State)
        if state.last < high_water:
            raise BaseReset(url=self.url, last=state.last, high_water=high_water)

    async def after(self, serial: int, wait: float) -> Page:
        """The events after `serial`, at most PAGE; where there are none yet, as soon as there is one, within `wait`
        seconds. Raises BaseAway, BaseRefuses or BaseUnlike.
        """
        return await self._get("/events", {"after": serial, "limit": PAGE, "wait": wait}, wait, Page)

    async def _get(self, path: str, query: dict[str, float], wait: float, shape: type[Shape]) -> Shape:
        limits = httpx.Timeout(SLACK, connect=CONNECT, read=wait + SLACK)
        try:
            async with self._client.stream("GET", path, params=query, timeout=limits) as response:
                body = await self._body(response)
        except httpx.HTTPError as error:
            raise BaseAway(url=self.url, reason=str(error) or type(error).__name__) from None
        self._judge(response.status_code, body)
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.DecodeError as error:
            raise BaseUnlike(url=self.url, reason=error) from None

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise BaseUnlike(url=self.url, reason=f"more than {LARGEST_ANSWER} bytes")
        return bytes(body)

    def _judge(self, status: int, body: bytes) -> None:
        reason = f"status {status}: {body[:200].decode(errors='replace')}"
        if status in (401, 403):
            raise BaseRefuses(url=self.url, reason=reason, token=self._token_path, name=self._name)
        if status >= 500:
            raise BaseAway(url=self.url, reason=reason)
        if status != 200:
            raise BaseUnlike(url=self.url, reason=reason)
