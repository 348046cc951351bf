"""The people who may use the console: `conf/accounts.json`, passwords as argon2id hashes.

The file is on the shared disk, so an account is the same on every node. It is replaced whole, never changed in
place; writers take turns by a lock on the folder, which the kernel gives back with their death.
"""

import contextlib
import fcntl
import os
import pwd
import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import argon2
import msgspec

from bansho.logicalhost.places import SharedPlaces
from bansho.manager.errors import (
    AccountExists,
    AccountsDamaged,
    AccountsUnreadable,
    AccountsUnwritable,
    BadAccountName,
    BadPassword,
    UnknownAccount,
)

Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9._@-]{0,63}", re.ASCII)
PASSWORD_LENGTH = range(8, 257)
SESSION_KEY_BYTES = 32
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$Ii6oeCN4VRkT1rdGYru6xA$twOziNKabybXVw3pse/4kkrbY90pJfKlpciLyM9LGHA"
"""The hash of a password that nobody kept: it is checked for unknown names, so that they cost the same time."""

hasher = argon2.PasswordHasher()


class Account(msgspec.Struct, frozen=True):
    """One person: what they may do, and how their password is checked."""

    role: Role
    hash: str
    generation: int
    """Grows with each password; a session of an older one is void."""
    created: float
    """Seconds since 1970."""


def accounts_file(shared: SharedPlaces) -> Path:
    """Where the accounts are."""
    return shared.conf / "accounts.json"


def session_key_file(shared: SharedPlaces) -> Path:
    """Where the key that signs sessions is."""
    return shared.conf / "session.key"


def prepare(shared: SharedPlaces, user: str | None = None) -> None:
    """Makes the key that signs sessions, once. Raises AccountsUnwritable.

    Files belong to `user` where root writes them, and to the event store's owner where no user is given.
    """
    with _locked(shared):
        if not session_key_file(shared).exists():
            _replace(session_key_file(shared), secrets.token_bytes(SESSION_KEY_BYTES), user)


def read(shared: SharedPlaces) -> dict[str, Account]:
    """All accounts by name; none where there is no file. Raises AccountsDamaged or AccountsUnreadable."""
    return _parse(accounts_file(shared))


def created(account: Account) -> str:
    """When an account was created, in the server's zone: `2026-11-22 08:41`."""
    return f"{datetime.fromtimestamp(account.created, UTC).astimezone():%Y-%m-%d %H:%M}"


def exist(shared: SharedPlaces) -> bool:
    """Whether there is a file of accounts."""
    return accounts_file(shared).exists()


def create(shared: SharedPlaces, name: str, role: Role, password: str | None = None, user: str | None = None) -> str:
    """Creates an account and returns its password, a random one where none is given.

    Raises BadAccountName, BadPassword, AccountExists, AccountsDamaged or AccountsUnwritable.
    """
    if not NAME.fullmatch(name):
        raise BadAccountName(name=name)
    password = _checked(name, password)
    with _changed(shared, user) as accounts:
        if name in accounts:
            raise AccountExists(name=name)
        accounts[name] = Account(role, hasher.hash(password), _generation(), time.time())
    return password


def change_password(shared: SharedPlaces, name: str, password: str | None = None, user: str | None = None) -> str:
    """Gives an account another password, ends its sessions and returns the password.

    Raises as `create`, or UnknownAccount.
    """
    password = _checked(name, password)
    with _changed(shared, user) as accounts:
        account = _of(accounts, name)
        changed = msgspec.structs.replace(account, hash=hasher.hash(password), generation=_generation())
        accounts[name] = changed
    return password


def remove(shared: SharedPlaces, name: str, user: str | None = None) -> None:
    """Removes an account, which ends its sessions. Raises UnknownAccount, AccountsDamaged or AccountsUnwritable."""
    with _changed(shared, user) as accounts:
        _of(accounts, name)
        del accounts[name]


def verify(account: Account | None, password: str) -> bool:
    """Whether the password is the account's. Takes as long for an account that does not exist: tens of ms."""
    try:
        return hasher.verify(account.hash if account else NOBODY, password) and account is not None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


class Directory:
    """The accounts as a service sees them: read again when the file was replaced."""

    def __init__(self, shared: SharedPlaces) -> None:
        self._path = accounts_file(shared)
        self._accounts: dict[str, Account] = {}
        self._version: tuple[int, ...] | None = None

    def get(self, name: str) -> Account | None:
        """The account of that name. Raises AccountsDamaged or AccountsUnreadable."""
        version = _version(self._path)
        if version != self._version:
            self._accounts, self._version = _parse(self._path), version
        return self._accounts.get(name)


def _version(path: Path) -> tuple[int, ...] | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns


def _parse(path: Path) -> dict[str, Account]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Account])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AccountsUnreadable(path=path, reason=error.strerror) from None
    except msgspec.MsgspecError as error:
        raise AccountsDamaged(path=path, reason=error) from None


def _of(accounts: dict[str, Account], name: str) -> Account:
    if name not in accounts:
        raise UnknownAccount(name=name)
    return accounts[name]


def _checked(name: str, password: str | None) -> str:
    chosen = secrets.token_urlsafe(15) if password is None else password
    if len(chosen) not in PASSWORD_LENGTH:
        raise BadPassword(name=name, least=PASSWORD_LENGTH.start, most=PASSWORD_LENGTH.stop - 1)
    return chosen


def _generation() -> int:
    # Random, not counted: an account that is removed and created again must not revive the first one's sessions.
    return secrets.randbits(48)


@contextlib.contextmanager
def _locked(shared: SharedPlaces) -> Iterator[None]:
    try:
        folder = os.open(shared.conf, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise AccountsUnwritable(path=shared.conf, reason=error.strerror) from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
        os.fsync(folder)
    except OSError as error:
        raise AccountsUnwritable(path=shared.conf, reason=error.strerror) from None
    finally:
        os.close(folder)


@contextlib.contextmanager
def _changed(shared: SharedPlaces, user: str | None) -> Iterator[dict[str, Account]]:
    with _locked(shared):
        accounts = _parse(accounts_file(shared))
        yield accounts
        document = msgspec.json.format(msgspec.json.encode(accounts), indent=2)
        _replace(accounts_file(shared), document + b"\n", user)


def _replace(path: Path, content: bytes, user: str | None) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _give(file.fileno(), path, user)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _give(file: int, path: Path, user: str | None) -> None:
    if os.geteuid() != 0:
        return
    if user is None:
        os.fchown(file, *SharedPlaces(path.parent.parent).services_user)
        return
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise AccountsUnwritable(path=path, reason=f"there is no user {user!r}") from None
    os.fchown(file, account.pw_uid, account.pw_gid)
