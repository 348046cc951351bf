"""Who is logged in, kept by the browser: a signed cookie, so a session survives a takeover.

The cookie holds the account's name and generation, when the session began and when it was last used. It says nothing
that is secret, and it cannot be changed without `conf/session.key`.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import itsdangerous
import msgspec

from bansho.manager.accounts import SESSION_KEY_BYTES
from bansho.manager.errors import SessionKeyAbsent

COOKIE = "bansho-session"
FORM_COOKIE = "bansho-form"
"""Ties a log-in form to the browser that asked for it."""
ABSOLUTE = 12 * 3600.0
"""A session ends this many seconds after the log-in, whatever happens."""
IDLE = 3600.0
"""A session ends after this many seconds without a request."""
RENEWAL = 60.0
"""The cookie is written anew once it is this many seconds old."""


class Session(msgspec.Struct, frozen=True, array_like=True):
    """One log-in. Times are seconds since 1970: the node that reads a cookie need not be the one that wrote it."""

    name: str
    generation: int
    began: float
    seen: float
    nonce: str
    """Ties the forms of this session to it."""


class Sessions:
    """Writes and reads the cookies, with one key."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._cookies = itsdangerous.URLSafeSerializer(
            key, salt="bansho.session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._forms = itsdangerous.Signer(key, salt="bansho.form", digest_method=hashlib.sha256)

    def begin(self, name: str, generation: int) -> Session:
        """A session that begins now."""
        now = self._now()
        return Session(name, generation, now, now, secrets.token_urlsafe(16))

    def write(self, session: Session) -> str:
        """The session as a cookie's value."""
        cookie = self._cookies.dumps(msgspec.to_builtins(session))
        return cookie if isinstance(cookie, str) else cookie.decode("ascii")

    def read(self, cookie: str) -> Session | None:
        """The session in a cookie, or None where it was not signed here or has expired."""
        try:
            session = msgspec.convert(self._cookies.loads(cookie), Session)
        except (itsdangerous.BadData, msgspec.ValidationError):
            return None
        return session if self.lasts(session) else None

    def lasts(self, session: Session) -> bool:
        """Whether neither limit has passed."""
        now = self._now()
        return now - session.began < ABSOLUTE and now - session.seen < IDLE

    def renewed(self, session: Session) -> Session | None:
        """The session as used now, or None where the cookie is young enough."""
        now = self._now()
        return msgspec.structs.replace(session, seen=now) if now - session.seen >= RENEWAL else None

    def token(self, nonce: str) -> str:
        """What a form carries to show that this console gave it to the holder of `nonce`."""
        return self._forms.get_signature(nonce).decode("ascii")

    def is_token(self, nonce: str, token: str) -> bool:
        """Whether the form's token belongs to `nonce`."""
        return self._forms.verify_signature(nonce.encode(), token.encode())


def read_key(path: Path, name: str) -> bytes:
    """The key that `accounts.prepare` made for the logical host `name`. Raises SessionKeyAbsent."""
    try:
        key = path.read_bytes()
    except OSError as error:
        raise SessionKeyAbsent(path=path, reason=error.strerror, name=name) from None
    if len(key) < SESSION_KEY_BYTES:
        raise SessionKeyAbsent(path=path, reason=f"only {len(key)} bytes", name=name)
    return key
