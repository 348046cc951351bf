"""Who may send and who may read: `conf/tokens.json` on the shared disk, with the tokens' hashes only.

A token has 256 random bits, so a plain SHA-256 of it can neither be guessed nor searched. The file is replaced as a
whole, and a running event service sees the new one with its next request.
"""

import hashlib
import hmac
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Literal

import msgspec

from bansho.base.errors import BadTokenName, TokenExists, TokensUnreadable, UnknownToken
from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import NAME
from bansho.logicalhost.places import SharedPlaces

Scope = Literal["send", "read"]
SCOPES: tuple[Scope, ...] = ("send", "read")
NAME_CHARACTERS = 63
REVOKED = 0.2
"""Seconds after which a revoked token is refused at the latest."""


class Token(msgspec.Struct, frozen=True):
    """One token: `hash` is the SHA-256 of its text in hexadecimal, `created` seconds since 1970."""

    name: str
    scope: Scope
    hash: str
    created: float


class TokenFile(msgspec.Struct, frozen=True):
    """The file's content."""

    tokens: list[Token]


class Tokens:
    """The tokens as the event service asks for them.

    A token that is not known is looked for in the file at once, so a new one works with its first request; one that is
    known is held against the file every `REVOKED` seconds. `changed` is called when the file begins to be unreadable,
    with the reason, and with None when it can be read again: nobody is let in meanwhile.
    """

    def __init__(
        self, shared: SharedPlaces, changed: Callable[[BanshoError | None], None] = lambda _refusal: None
    ) -> None:
        self._path, self._changed = path_of(shared), changed
        self._refusal: BanshoError | None = None
        self._looked = -math.inf
        self._stamp: tuple[int, int, int] | None = None
        self._tokens: list[Token] = []

    def find(self, text: str) -> Token | None:
        """The token of that text. Raises TokensUnreadable."""
        given = digest(text)
        if time.monotonic() - self._looked < REVOKED and (token := self._known(given)):
            return token
        self.check()
        self._looked = time.monotonic()
        return self._known(given)

    def check(self) -> None:
        """Reads the file, where it is another one than before. Raises TokensUnreadable."""
        try:
            self._refresh()
        except TokensUnreadable as error:
            self._note(error)
            raise
        self._note(None)

    def _note(self, refusal: BanshoError | None) -> None:
        before, self._refusal = self._refusal, refusal
        if (before is None) != (refusal is None):
            self._changed(refusal)

    def _known(self, given: str) -> Token | None:
        found = None
        for token in self._tokens:
            if hmac.compare_digest(token.hash, given):
                found = token
        return found

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError as error:
            # A disk that was taken away holds no tokens either; to say so to a sender would make it give up its events.
            if not self._path.parent.is_dir():
                raise TokensUnreadable(path=self._path, reason=f"no {self._path.parent}") from error
            self._stamp, self._tokens = None, []
            return
        except OSError as error:
            raise TokensUnreadable(path=self._path, reason=error.strerror) from None
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            self._tokens = _read(self._path)
            self._stamp = stamp


def path_of(shared: SharedPlaces) -> Path:
    """Where the tokens are."""
    return shared.conf / "tokens.json"


def digest(text: str) -> str:
    """The SHA-256 of a token's text."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def listed(shared: SharedPlaces) -> list[Token]:
    """All tokens, by name. Raises TokensUnreadable."""
    return sorted(_read(path_of(shared)), key=lambda token: token.name)


def create(shared: SharedPlaces, name: str, scope: Scope) -> str:
    """Makes a token and returns its text, which is nowhere else. As root the file is given to the services' user.

    Raises BadTokenName, TokenExists, TokensUnreadable or OSError.
    """
    if not NAME.fullmatch(name) or len(name) > NAME_CHARACTERS:
        raise BadTokenName(name=name)
    text = f"bansho_{secrets.token_urlsafe(32)}"
    with _changing(shared) as tokens:
        if any(token.name == name for token in tokens):
            raise TokenExists(name=name)
        tokens.append(Token(name, scope, digest(text), time.time()))
    return text


def revoke(shared: SharedPlaces, name: str, host: str) -> None:
    """Takes a token away; `host` is for the message. Raises UnknownToken, TokensUnreadable or OSError."""
    with _changing(shared) as tokens:
        kept = [token for token in tokens if token.name != name]
        if len(kept) == len(tokens):
            raise UnknownToken(name=name, host=host)
        tokens[:] = kept


def _read(path: Path) -> list[Token]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=TokenFile).tokens
    except FileNotFoundError:
        return []
    except OSError as error:
        raise TokensUnreadable(path=path, reason=error.strerror) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TokensUnreadable(path=path, reason=error) from None


@contextmanager
def _changing(shared: SharedPlaces) -> Iterator[list[Token]]:
    """The tokens, to be changed in place by one process at a time; then written."""
    folder = os.open(shared.conf, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flock(folder, LOCK_EX)
        tokens = _read(path_of(shared))
        yield tokens
        _replace(path_of(shared), msgspec.json.format(msgspec.json.encode(TokenFile(tokens))))
        os.fsync(folder)
    finally:
        os.close(folder)


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if os.geteuid() == 0:
            os.fchown(descriptor, *SharedPlaces(path.parent.parent).services_user)
        os.fsync(descriptor)
    new.replace(path)
