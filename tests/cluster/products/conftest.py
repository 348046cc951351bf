"""A logical host whose commands are stand-ins, rendered for a cluster product and driven by the rendered files."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house import House

from bansho.cluster import products
from bansho.cluster.adapter.__main__ import main
from bansho.contract.suites import COMMANDS, DATABASE_STATUS
from bansho.logicalhost import definition

STAND_IN = Path(__file__).parent.parent / "stand-in"
BOTH = [name for suite in COMMANDS.values() for name in suite] + [DATABASE_STATUS]


# ip(8), asked for an address: it is here while the file is.
IP = """\
#!/bin/sh
echo "$*" >"${0%/*}/asked"
[ ! -e "${0%/*}/address" ] || echo "2: eth0    inet 192.0.2.10/24 scope global eth0"
"""


class Rendering:
    """A node whose logical host `watch` can be rendered for any product."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.bin = house.root / "bin"
        self.bin.mkdir()
        (self.bin / "ip").write_text(IP)
        (self.bin / "ip").chmod(0o755)
        self.environment = {"PATH": f"{self.bin}:{os.environ['PATH']}"}
        """What finds this node's `ip`, which knows the logical address, before the machine's."""

    def address(self, is_here: bool) -> None:
        """Gives the node the logical address, or takes it away."""
        path = self.bin / "address"
        if is_here:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    def render(self, product: str) -> Path:
        """Writes the product's files, and returns their folder."""
        folder = self.house.root / product
        for file in products.render(definition.load("watch"), product, folder):
            file.write()
        return folder


class Site(Rendering):
    """A node with stand-in commands of others, and the logical host `watch` on it."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.shared = house.shared
        self.commands = house.root / "commands"
        self.state = self.commands / "state"
        self.state.mkdir(parents=True)
        (self.state / "directory").write_text(str(self.shared))
        for name in BOTH:
            shutil.copy(STAND_IN, self.commands / name)
        self.define()

    def define(self, disk: str = '[disk]\ndevice = "/dev/nothing"\nmount-point = "/"', **cluster: str) -> None:
        """Writes the definition; the machine's root is its disk, so it is always mounted."""
        keys = {
            "nodes": '["n1", "n2"]',
            "interface": '"eth0"',
            "retries": "2",
            "retry-interval": "0.01",
            "monitor-interval": "0.1",
            "status-timeout": "5",
            "base-commands": f'"{self.commands}"',
            "manager-commands": f'"{self.commands}"',
        }
        keys |= {key.replace("_", "-"): value for key, value in cluster.items()}
        table = "\n".join(["[cluster]", *(f"{key} = {value}" for key, value in keys.items())])
        self.house.define(text=f"{disk}\n{table}", address='"192.0.2.10/24"')

    def do(self, command: str, script: str) -> None:
        """`command` runs `script` instead."""
        (self.state / f"{command}.do").write_text(script + "\n")

    def answer(self, *values: int, suite: str = "base") -> None:
        """Status answers these, one after the other, and stays with the last."""
        (self.state / f"{suite}.values").write_text("".join(f"{value}\n" for value in values))

    def calls(self) -> list[str]:
        """The commands run so far, each with its arguments."""
        path = self.state / "calls"
        return [line.partition(" ")[2] for line in path.read_text().splitlines()] if path.exists() else []

    def orders(self) -> list[str]:
        """The commands run so far that bring something about, by name."""
        return [call.split()[0] for call in self.calls() if "status" not in call]

    def kill(self, suite: str) -> None:
        """Ends a suite's process."""
        path = self.state / f"{suite}.pid"
        if path.exists():
            subprocess.run(["kill", "-9", path.read_text().strip()], capture_output=True, check=False)

    def run(self, file: Path, *arguments: str) -> tuple[int, str]:
        """Runs a rendered file as the product would; its value and what it says."""
        done = subprocess.run([file, *arguments], capture_output=True, text=True, check=False, env=os.environ)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    def call(self, product: str, *arguments: str) -> int:
        """The same without a process of its own."""
        return main([product, "watch", *arguments])


@pytest.fixture
def site(house: House) -> Iterator[Site]:
    """A node whose shared disk is mounted; what its stand-ins started is ended."""
    site = Site(house)
    yield site
    for suite in COMMANDS:
        site.kill(suite)
