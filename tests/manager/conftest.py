"""What Manager's tests share: a real PostgreSQL under the real controller, and the real console process."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.house import House

from bansho.database import instance
from bansho.database.connection import conninfo
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.manager import accounts
from bansho.manager.sessions import Sessions

PATIENCE = 30


class Service:
    """One of our services, run as its process manager runs it, and ready."""

    def __init__(self, module: str, host: LogicalHost, run: Path, **options: Any) -> None:
        path = str(run / f"{module.rpartition('.')[2]}.notify")
        Path(path).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(path)
            notices.settimeout(PATIENCE)
            environment = {**os.environ, "BANSHO_HOST": host.name, "NOTIFY_SOCKET": path, "BANSHO_EPOCH": "7"}
            Path(path).chmod(0o777)
            command = [sys.executable, "-m", module]
            self.process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
            )
            while b"READY=1" not in notices.recv(4096).split(b"\n"):
                pass

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Ends it, and returns how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        self.output = self.process.communicate(timeout=PATIENCE)[0].decode()
        return self.process.returncode


@contextmanager
def running(module: str, host: LogicalHost, run: Path, **options: Any) -> Iterator[Service]:
    service = Service(module, host, run, **options)
    try:
        yield service
    finally:
        service.stop()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


class Site:
    """A logical host with a database, accounts and a console."""

    PASSWORD = "correct horse"

    def __init__(self, house: House) -> None:
        self.run = house.run
        house.define("watch", f"[ports]\nconsole = {free_port()}\nevent-service = {free_port()}\n")
        self.host = definition.load("watch")
        self.url = f"http://127.0.0.1:{self.host.ports.console}"
        accounts.prepare(self.host.shared)
        accounts.create(self.host.shared, "viewer", "viewer", self.PASSWORD)
        self.sessions = Sessions(accounts.session_key_file(self.host.shared).read_bytes())

    def start_database(self) -> None:
        """Runs the database's controller until `stop_database`."""
        self._database = Service("bansho.database.controller", self.host, self.run)

    def stop_database(self) -> None:
        """Stops it in order."""
        self._database.stop()

    def console(self, **options: Any) -> "AbstractContextManager[Service]":
        """The console, running; `options` are those of a subprocess."""
        return running("bansho.manager.event_console", self.host, self.run, **options)

    def connect(self) -> "psycopg.Connection[Any]":
        """A connection that may write, as the event base has."""
        return psycopg.connect(conninfo(self.host))

    def cookie(self, name: str = "viewer") -> dict[str, str]:
        """The cookie of a session that began now."""
        generation = accounts.read(self.host.shared)[name].generation
        return {"bansho-session": self.sessions.write(self.sessions.begin(name, generation))}

    def client(self, **options: Any) -> httpx.Client:
        """A client that is logged in."""
        return httpx.Client(base_url=self.url, cookies=self.cookie(), timeout=PATIENCE, **options)

    def stranger(self) -> httpx.Client:
        """A client that is not."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE)

    def clear(self) -> None:
        """No events, and a high-water mark of 0."""
        with self.connect() as connection:
            connection.execute("truncate event")
            connection.execute("update intake set high_water = 0")

    def arrive(self, *events: dict[str, Any]) -> list[int]:
        """Commits events as the event base does, with the serials that follow, and tells who listens."""
        with self.connect() as connection:
            row = connection.execute("select high_water from intake").fetchone()
            first = (row[0] if row else 0) + 1
            for serial, event in enumerate(events, first):
                self._insert(connection, serial, event)
            last = first + len(events) - 1
            connection.execute("update intake set high_water = %s", [last])
            connection.execute(f"notify event, '{last}'")
        return list(range(first, last + 1))

    def _insert(self, connection: "psycopg.Connection[Any]", serial: int, given: dict[str, Any]) -> None:
        event = {
            "id": "1F",
            "id_extended": "0",
            "reason": 1,
            "source_server": "alpha",
            "source_serial": serial,
            "severity": "Error",
            "message": f"event {serial}",
            "attributes": {},
            **given,
        }
        event["attributes"] = json.dumps(event["attributes"])
        columns = ", ".join(event)
        connection.execute("select ensure_event_day((now() at time zone 'UTC')::date)")
        connection.execute(
            f"insert into event (serial, occurred_at, arrived_at, {columns})"
            f" values (%s, now(), now(), {', '.join(['%s'] * len(event))})",
            [serial, *event.values()],
        )


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site whose database runs, for the tests of one module."""
    root = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
    root.chmod(0o755)  # root runs PostgreSQL as another user
    house = House(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANSHO_ETC", str(house.etc))
        patch.setenv("BANSHO_RUN", str(house.run))
        patch.delenv("JP1_HOSTNAME", raising=False)
        made = Site(house)
        instance.create(made.host)
        made.start_database()
        yield made
        made.stop_database()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def console(site: Site) -> Iterator[Site]:
    """The site with a console of its own and no events."""
    site.clear()
    with site.console():
        yield site
