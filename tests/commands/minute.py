"""Commands that truly run into the default limits of a minute, beside the other tests of this folder."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.commands.suites import Suite, service
from tests.house import House

SAMPLE = 2.0
"""Seconds between two looks at the status."""
LONG = 3600
"""Seconds: a service's limit that outlasts the command's, and all tests of this folder."""


class Away(House):
    """A house that the environment of this process does not name."""

    def __init__(self) -> None:
        root = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
        root.chmod(0o755)
        super().__init__(root)
        self.environment = os.environ | {"BANSHO_ETC": str(self.etc), "BANSHO_RUN": str(self.run)}

    def command(self, name: str, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        return super().command(name, *arguments, env=self.environment, **options)


class Course:
    """One command on its way: how long it took, what it said, and every value that the status had meanwhile.

    `heard` is the event in the process manager's log by which that had heard of it.
    """

    def __init__(self, verb: str, heard: str, *acts: str, **keys: Any) -> None:
        self._house = house = Away()
        house.define("minute")
        self.suite, self.verb, self._heard = Suite(house, "minute"), verb, heard
        self._messages = house.root / "messages"
        self.gate = self.suite.gate("gate")
        self.suite.write(service("slow", *(act.format(gate=self.gate) for act in acts), **keys))
        self.values: list[int] = []
        self._command = threading.Thread(target=self._run, name=verb)
        self._looks = threading.Thread(target=self._look, name="looks")

    def block_disk(self) -> None:
        """From now on whoever reads the definition waits for ever: it is a fifo that nobody writes."""
        definition = self._house.shared / "conf" / "base.toml"
        definition.unlink()
        os.mkfifo(definition, 0o600)

    def begin(self) -> None:
        """Gives the command."""
        self._command.start()
        self._looks.start()

    def _run(self) -> None:
        began = time.monotonic()
        command = self.suite.command(f"{self.verb}.cluster")
        with self._messages.open("w") as messages:
            self.returned = subprocess.run(
                command, stdout=-3, stderr=messages, env=self._house.environment, check=False
            )
        self.seconds = time.monotonic() - began

    def _look(self) -> None:
        self._command.join(SAMPLE)
        while self._command.is_alive():
            self.values.append(self.suite.value)
            self._command.join(SAMPLE)

    @property
    def said(self) -> str:
        """Its messages."""
        return self._messages.read_text()

    @property
    def waited(self) -> float:
        """Seconds from when the process manager had heard of it until it said how that had ended.

        So a busy node does not count, which takes its time to load the command and to tell us of its end.
        """
        lines = map(json.loads, (self.suite.folder / "spmd.log").read_text().splitlines())
        heard = next(datetime.fromisoformat(line["timestamp"]) for line in lines if line["event"] == self._heard)
        return self._messages.stat().st_mtime - heard.timestamp()

    def wait(self) -> None:
        """Waits until the command has come back."""
        self._command.join()
        self._looks.join()

    def end(self) -> None:
        """Leaves nothing."""
        self.suite.killall()
        self.wait()
        shutil.rmtree(self.suite.house.root)


class Minute:
    """All that takes a minute, at the same time."""

    def __init__(self) -> None:
        self.start = Course("start", "process manager began", "gate={gate}", "ready", "wait", start_limit=LONG)
        self.late = Course("start", "process manager began", "gate={gate}", "ready", "wait")
        self.stop = Course("stop", "asked", "term-gate={gate}", "ready", "wait", stop_limit=LONG)
        self.dead_disk = Course("start", "process manager began", "ready", "wait")
        self.dead_disk.block_disk()
        self.courses = (self.start, self.late, self.stop, self.dead_disk)
        self.stop.suite.start()
        for course in self.courses:
            course.begin()

    def end(self) -> None:
        """Leaves nothing."""
        for course in self.courses:
            course.end()
