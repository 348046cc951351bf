"""What every part's tests share: a house of their own, in a short folder, with its own /etc and /run."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

COMMANDS = Path(__file__).parent.parent / ".venv" / "bin"
"""The folder of the contract's commands."""


class House:
    """A folder that stands for a node: `etc`, `run`, `shared`. Short, since a socket's path has at most 107 bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.etc, self.run, self.shared = root / "etc", root / "run", root / "shared"
        for folder in (self.etc / "logical-hosts", self.run, self.shared / "conf", self.shared / "log"):
            folder.mkdir(parents=True)

    def define(self, name: str = "watch", text: str = "", **keys: str) -> Path:
        """Writes a definition: `name`, `shared-directory`, the keys given (as TOML), then `text`."""
        lines = [f'name = "{name}"', f'shared-directory = "{self.shared}"']
        lines += [f"{key.replace('_', '-')} = {value}" for key, value in keys.items()]
        path = self.etc / "logical-hosts" / f"{name}.toml"
        path.write_text("\n".join([*lines, text, ""]))
        return path

    def suite(self, name: str, text: str) -> Path:
        """Writes a suite file into the shared directory."""
        path = self.shared / "conf" / f"{name}.toml"
        path.write_text(text)
        return path

    def command(self, name: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs one of the contract's commands, or `bansho`, as a user would."""
        return subprocess.run([COMMANDS / name, *arguments], capture_output=True, text=True, check=False, **options)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house that `BANSHO_ETC` and `BANSHO_RUN` name, removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
    root.chmod(0o755)
    house = House(root)
    monkeypatch.setenv("BANSHO_ETC", str(house.etc))
    monkeypatch.setenv("BANSHO_RUN", str(house.run))
    monkeypatch.delenv("JP1_HOSTNAME", raising=False)
    yield house
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def as_root() -> None:
    """Skips where the test needs root and is not."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
