"""Suites of small real programs, driven by the real commands."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.house import COMMANDS, House

from bansho.process import identity, proctree

ACTOR = Path(tempfile.mkdtemp(prefix="b-actor-")) / "actor.py"
"""This test run's own copy: another run's actors on the same machine are told apart by it."""
shutil.copy(Path(__file__).with_name("actor.py"), ACTOR)
ACTOR.parent.chmod(0o755)
atexit.register(shutil.rmtree, ACTOR.parent, ignore_errors=True)
Ended = subprocess.CompletedProcess[str]


def service(name: str, *acts: str, **keys: Any) -> str:
    """A service's table whose program does what `acts` say (see actor.py)."""
    command = [sys.executable, "-I", "-S", str(ACTOR), *acts]
    lines = [f"{key.replace('_', '-')} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["[[service]]", f'name = "{name}"', f"command = {json.dumps(command)}", *lines, ""])


def steady(name: str, **keys: Any) -> str:
    """A service that becomes ready at once and ends when it is asked to."""
    return service(name, "ready", "wait", **keys)


class Suite:
    """One suite of one logical host in a house."""

    def __init__(self, house: House, host: str = "watch", suite: str = "base") -> None:
        self.house, self.host, self.suite = house, host, suite
        self.folder = house.run / host / suite
        self._prefix = {"base": "jbs", "manager": "jco"}[suite]

    def write(self, *services: str, **keys: str) -> None:
        """Writes the suite file."""
        head = [f'suite = "{self.suite}"', *(f"{key.replace('_', '-')} = {value}" for key, value in keys.items())]
        (self.house.shared / "conf" / f"{self.suite}.toml").write_text("\n".join([*head, *services]))

    def start(self, *arguments: str, **options: Any) -> Ended:
        return self.house.command(f"{self._prefix}_start.cluster", self.host, *arguments, **options)

    def stop(self, *arguments: str, **options: Any) -> Ended:
        return self.house.command(f"{self._prefix}_stop.cluster", self.host, *arguments, **options)

    def status(self, *arguments: str) -> Ended:
        return self.house.command(f"{self._prefix}_spmd_status", "-h", self.host, *arguments)

    def killall(self, *arguments: str) -> Ended:
        return self.house.command(f"{self._prefix}_killall.cluster", self.host, *arguments)

    def reload(self, *arguments: str, **options: Any) -> Ended:
        return self.house.command(f"{self._prefix}_spmd_reload", "-h", self.host, *arguments, **options)

    def gate(self, name: str) -> Path:
        """A fifo: who reads it waits until it is written."""
        path = self.house.root / name
        os.mkfifo(path)
        return path

    def command(self, verb: str, *arguments: str) -> list[str]:
        """One of its commands, for whoever runs it in a way of their own."""
        return [str(COMMANDS / f"{self._prefix}_{verb}"), self.host, *arguments]

    def popen(self, verb: str, *arguments: str) -> "subprocess.Popen[str]":
        """A command that is not waited for."""
        return subprocess.Popen(self.command(verb, *arguments), stdout=-1, stderr=-1, text=True)

    @property
    def value(self) -> int:
        """The value of operation monitoring."""
        return self.status().returncode

    def wait_for(self, value: int, limit: float = 10.0) -> None:
        """Waits until operation monitoring says `value`."""
        eventually(lambda: self.value == value, limit, lambda: f"{self.status().stdout} instead of {value}")

    def wait_for_service(self, name: str, state: str) -> None:
        """Waits until the record has the service in that state."""

        def reached() -> bool:
            return (self.folder / "record").exists() and self.services().get(name, {}).get("state") == state

        eventually(reached, what=lambda: f"{name} never became {state}")

    @property
    def manager(self) -> int:
        """The process manager's pid, from the status record."""
        return int((self.folder / "record").read_text().split()[4])

    def services(self) -> dict[str, dict[str, Any]]:
        """The services as the record has them."""
        document = json.loads((self.folder / "record").read_text().splitlines()[2])
        return {each["name"]: each for each in document["services"]}

    def pid(self, name: str) -> int:
        """The pid of a service's first process."""
        pid = self.services()[name]["pid"]
        assert isinstance(pid, int)
        return pid

    def processes(self) -> dict[int, proctree.Process]:
        """What lives with the suite's mark in its environment, and all that descends from it."""
        return proctree.members(proctree.snapshot(), str(self.folder))

    def kill_manager(self) -> None:
        """Kills the process manager, and waits until it has ended."""
        pid, ticks = self.manager, int((self.folder / "record").read_text().split()[5])
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not identity.lives(pid, ticks))


def eventually(
    true: Callable[[], bool], limit: float = 10.0, what: Callable[[], str] = lambda: "it never came true"
) -> None:
    """Waits for something that gives no sign when it becomes true."""
    until = time.monotonic() + limit
    while not true():
        assert time.monotonic() < until, what()
        time.sleep(0.02)


def suite_in(house: House, host: str = "watch", suite: str = "base") -> Iterator[Suite]:
    """A suite that is ended for good after the test, whatever became of it."""
    made = Suite(house, host, suite)
    yield made
    made.killall()
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)
