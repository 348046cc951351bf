"""A folder of stand-in commands, and the real agent's file on top of it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bansho.cluster.install import install
from bansho.contract.suites import COMMANDS, DATABASE_STATUS

SCRIPT = Path(__file__).parent / "stand-in"


class Node:
    """Stand-in commands, a shared directory, and the agent as Pacemaker calls it."""

    def __init__(self, root: Path) -> None:
        self.commands, self.shared, self.state = root / "commands", root / "disk/shared", root / "commands/state"
        self.state.mkdir(parents=True)
        (self.state / "directory").write_text(str(self.shared))
        for name in (*COMMANDS["base"], *COMMANDS["manager"], DATABASE_STATUS):
            shutil.copy(SCRIPT, self.commands / name)
        python = self.commands / "python3"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        self.agent = install(root, self.commands)
        self.parameters = {
            "host": "watch",
            "suite": "base",
            "directory": str(self.shared),
            "releases_disk": "true",
            "retries": "2",
            "retry_interval": "0.01",
            "status_timeout": "5",
        }
        self.mount()

    def mount(self) -> None:
        """The shared directory appears."""
        for folder in ("conf", "log"):
            (self.shared / folder).mkdir(parents=True, exist_ok=True)

    def unmount(self) -> None:
        """The shared directory disappears."""
        self.shared.rename(self.shared.with_name("elsewhere"))

    def do(self, command: str, script: str) -> None:
        """`command` runs `script` instead."""
        (self.state / f"{command}.do").write_text(script + "\n")

    def answer(self, *values: int, suite: str = "base") -> None:
        """Status answers these, one after the other, and stays with the last."""
        (self.state / f"{suite}.values").write_text("".join(f"{value}\n" for value in values))

    def call(self, action: str, *, timeout: float = 60, interval: int = 10, **parameters: str) -> tuple[int, str]:
        """The agent's exit code and what it says, called as Pacemaker does."""
        environment = {f"OCF_RESKEY_{name}": value for name, value in {**self.parameters, **parameters}.items()}
        environment["OCF_RESKEY_CRM_meta_timeout"] = str(int(timeout * 1000))
        environment["OCF_RESKEY_CRM_meta_interval"] = str(interval * 1000)
        done = subprocess.run(
            [self.agent, action], env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    def calls(self) -> list[str]:
        """The commands run so far, each with its arguments."""
        with contextlib.suppress(FileNotFoundError):
            return [line.partition(" ")[2] for line in (self.state / "calls").read_text().splitlines()]
        return []

    def kill(self, suite: str) -> None:
        """Ends a suite's process."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int((self.state / f"{suite}.pid").read_text()), signal.SIGKILL)


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node with a shared directory mounted; whatever its stand-ins started is ended.

    Its /run is its own: a failure told in one test would hold up that of the next.
    """
    with tempfile.TemporaryDirectory(prefix="b-", dir="/tmp") as folder:
        root = Path(folder)
        monkeypatch.setenv("BANSHO_RUN", str(root / "run"))
        root.chmod(0o755)  # ocf-tester looks at the agent as nobody, too
        node = Node(root)
        yield node
        for suite in COMMANDS:
            node.kill(suite)


DEFINITION = """\
name = "watch"
shared-directory = "/srv/watch/shared"
address = "192.0.2.10/24"

[disk]
device = "/dev/disk/by-label/watch"
mount-point = "/srv/watch"

[cluster]
nodes = ["n1", "n2", "n3"]
interface = "eth0"
"""


@pytest.fixture(scope="session")
def definition() -> str:
    """The definition of a logical host that can be registered."""
    return DEFINITION
