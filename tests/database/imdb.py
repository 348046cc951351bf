"""A real IM database for tests: its controller as a process, with a notify socket to wait on instead of sleeping."""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest
from tests.house import House

from bansho.database import account, instance, postmaster, programs
from bansho.database.connection import conninfo
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost

PATIENCE = 30.0
"""Seconds after which what is awaited has failed."""
NEWEST = [*programs.distributions()[:1], *programs.wheel()]
"""The server programs to test with: the distribution's newest, and the wheel's."""
BOTH = pytest.mark.parametrize(
    "bindir", NEWEST, ids=lambda folder: f"pg{programs.major_version(folder)}", indirect=True
)


def until(condition: Callable[[], Any], what: str) -> None:
    """Returns once `condition` holds, for what gives no event to wait on."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"in {PATIENCE} s not seen: {what}"
        time.sleep(0.01)


class Service:
    """One of our services as a process of its own, told and watched as its process manager would."""

    def __init__(self, folder: Path, module: str, **environment: str) -> None:
        self.log = folder / f"{module}.log"
        self._path = folder / f"{module}.notify"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o666)  # as a process manager's is for the service's user
        variables = {**os.environ, "NOTIFY_SOCKET": str(self._path), **environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module], stdout=log, stderr=subprocess.STDOUT, env=variables, cwd="/"
            )
        self.seen: list[str] = []

    def next(self, limit: float = PATIENCE) -> list[str]:
        """The lines of the next message; none where it ended, or said nothing in time."""
        self._await(limit)
        if not select.select([self._socket.fileno()], [], [], 0)[0]:
            return []
        self.seen += (lines := self._socket.recv(65536).decode().split("\n"))
        return lines

    def _await(self, limit: float) -> None:
        """Returns when there is a message, when it has ended, or after `limit` seconds."""
        if self.process.poll() is None:
            alive = os.pidfd_open(self.process.pid)
            select.select([self._socket.fileno(), alive], [], [], limit)
            os.close(alive)

    def await_line(self, line: str) -> None:
        """Returns once it has said `line`, or something that begins so."""
        while not any(each.startswith(line) for each in self.next() or pytest.fail(f"no {line}:\n{self.said()}")):
            pass

    def ready(self) -> Self:
        self.await_line("READY=1")
        return self

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    def stop(self) -> int:
        self.process.terminate()
        return self.ended()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def close(self) -> None:
        """Ends it at once, a stopped one too."""
        self.process.kill()
        self.process.wait()
        self._socket.close()


class Imdb:
    """One logical host's database."""

    def __init__(self, house: House, host: LogicalHost) -> None:
        self.house, self.host = house, host
        self.data = host.shared.database
        self.socket_folder = host.node.database_socket
        self.account = account.of(host)
        self._controllers: list[Service] = []

    def controller(self, **environment: str) -> Service:
        """Starts a controller; see `Service.ready`."""
        service = Service(self.house.root, "bansho.database.controller", BANSHO_HOST=self.host.name, **environment)
        self._controllers.append(service)
        return service

    @property
    def postmaster(self) -> int:
        found = postmaster.living(self.data)
        assert found
        return found.pid

    def crash(self) -> None:
        """The postmaster dies, and with it every process on the data directory."""
        os.kill(self.postmaster, signal.SIGKILL)
        until(lambda: not postmaster.processes(self.data), "the end of all processes of the database")

    def part(self, name: str) -> int:
        """One of the postmaster's own processes, such as its "checkpointer"."""
        titles = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in postmaster.processes(self.data)}
        return next(pid for pid, title in titles.items() if f": {name}" in title)

    def status(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.house.command("jimdbstatus", "-h", self.host.name, *arguments, **options)

    def value(self) -> int:
        answer = self.status()
        assert answer.returncode >= 0, answer
        return answer.returncode

    def as_database_user(self, *command: str) -> subprocess.Popen[bytes]:
        """A process of the user that the postmaster runs as."""
        return subprocess.Popen(command, **self.account.for_child())

    def close(self) -> None:
        for service in self._controllers:
            service.close()
        for pid in postmaster.processes(self.data) if self.data.exists() else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not self.data.exists() or not postmaster.processes(self.data), "the end of the database")


def define(house: House, bindir: Path, **keys: str) -> LogicalHost:
    """The logical host `watch`, with PostgreSQL from `bindir`."""
    house.define("watch", database=f'{{ bindir = "{bindir}" }}', **keys)
    return definition.load("watch")


_templates: dict[Path, Path] = {}


def copy_database(host: LogicalHost, folder: Path) -> None:
    """A database as `bansho setup` makes it: made once a version and copied, since initdb takes a second."""
    bindir = programs.bindir(host)
    if bindir not in _templates:
        instance.create(host)
        _templates[bindir] = folder / f"template-{programs.major_version(bindir)}"
        subprocess.run(["cp", "-a", host.shared.database, _templates[bindir]], check=True)
    else:
        subprocess.run(["cp", "-a", _templates[bindir], host.shared.database], check=True)


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that every user may enter and whose sockets' paths are short enough."""
    root = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
    root.chmod(0o755)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


class Server(NamedTuple):
    """A running database that many tests share."""

    house: House
    host: LogicalHost
    conninfo: str
    environment: dict[str, str]
    """The variables by which a process finds `host`."""


@contextlib.contextmanager
def running(folder: Path, bindir: Path, **keys: str) -> Iterator[Server]:
    """A running database in `folder`; `keys` are added to the definition."""
    house = House(folder / "house")
    environment = {"BANSHO_ETC": str(house.etc), "BANSHO_RUN": str(house.run)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        imdb = Imdb(house, define(house, bindir, **keys))
        instance.create(imdb.host)
        imdb.controller().ready()
        server = Server(house, imdb.host, conninfo(imdb.host), environment)
    try:
        yield server
    finally:
        imdb.close()
