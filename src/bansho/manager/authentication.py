"""Who sends a request: an account by its session's cookie, or by HTTP Basic authentication for programs."""

import asyncio
import base64
import binascii
import hashlib
import secrets
import time
from collections import OrderedDict
from typing import NamedTuple

import structlog

from bansho.manager import accounts
from bansho.manager.accounts import Directory, Role
from bansho.manager.errors import NotLoggedIn, TooManyFailures, WrongPassword
from bansho.manager.sessions import Session, Sessions
from bansho.manager.throttle import Throttle

FREE_FOR_NAME = 5
"""Failures of one name from one address before pauses begin."""
FREE_FOR_ADDRESS = 30
"""Failures of all names from one address before pauses begin."""
CHECKS_AT_ONCE = 2
"""A check of a password takes 64 MiB for tens of milliseconds."""
REMEMBERED = 256
REMEMBERED_SECONDS = 300.0
"""A program's password is checked in full once in this time: hashing at every request would cost a core."""

log = structlog.get_logger()


class Identity(NamedTuple):
    """Whoever is logged in."""

    name: str
    role: Role
    generation: int
    session: Session | None
    """None for a program."""


class Authentication:
    """Checks passwords and sessions against the accounts."""

    def __init__(self, directory: Directory, sessions: Sessions) -> None:
        self.sessions = sessions
        self._directory = directory
        self._by_name, self._by_address = Throttle(FREE_FOR_NAME), Throttle(FREE_FOR_ADDRESS)
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._remembered: OrderedDict[bytes, tuple[str, int, float]] = OrderedDict()
        self._salt = secrets.token_bytes(32)

    async def log_in(self, name: str, password: str, address: str) -> Session:
        """A new session. Raises WrongPassword or TooManyFailures."""
        identity = await self._check(name, password, address)
        return self.sessions.begin(name, identity.generation)

    def by_cookie(self, cookie: str) -> Identity | None:
        """Whose session a cookie holds; None where it expired, or the password or account changed since."""
        session = self.sessions.read(cookie)
        if session is None:
            return None
        identity = self._current(session.name, session.generation)
        return identity and identity._replace(session=session)

    def still(self, identity: Identity) -> bool:
        """Whether what let this one in still holds: for answers that last."""
        expired = identity.session is not None and not self.sessions.lasts(identity.session)
        return not expired and self._current(identity.name, identity.generation) is not None

    async def by_basic(self, header: str, address: str) -> Identity:
        """Whose name and password an `Authorization: Basic` holds. Raises as `log_in`, or NotLoggedIn."""
        name, password = _decode(header)
        digest = hashlib.blake2b(f"{name}\0{password}".encode(), key=self._salt).digest()
        if known := self._remember(digest):
            return known
        identity = await self._check(name, password, address)
        self._remembered[digest] = (name, identity.generation, time.monotonic() + REMEMBERED_SECONDS)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return identity

    def _remember(self, digest: bytes) -> Identity | None:
        name, generation, until = self._remembered.get(digest, ("", 0, 0.0))
        return self._current(name, generation) if time.monotonic() < until else None

    def _current(self, name: str, generation: int) -> Identity | None:
        account = self._directory.get(name)
        if account is None or account.generation != generation:
            return None
        return Identity(name, account.role, generation, None)

    async def _check(self, name: str, password: str, address: str) -> Identity:
        place = (address, name)
        pause = max(self._by_name.pause(place), self._by_address.pause(address))
        if pause:
            raise TooManyFailures(seconds=pause)
        self._by_name.count(place)
        self._by_address.count(address)
        account = self._directory.get(name)
        async with self._checks:
            right = await asyncio.to_thread(accounts.verify, account, password)
        if not right or account is None:
            log.warning("log-in failed", account=name[:64], address=address)
            raise WrongPassword
        self._by_name.forget(place)
        self._by_address.forgive(address)
        return Identity(name, account.role, account.generation, None)


def _decode(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise NotLoggedIn
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise NotLoggedIn from None
    if not colon:
        raise NotLoggedIn
    return name, password
