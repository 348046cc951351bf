"""A folder that stands for a node, for the tests of every part."""

import copy
import subprocess
from pathlib import Path
from typing import Any

COMMANDS = Path(__file__).parent.parent / ".venv" / "bin"
"""The folder of the contract's commands."""


class House:
    """A folder that stands for a node: `etc`, `run`, `shared`. Short, since a socket's path has at most 107 bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.etc, self.run, self.shared = root / "etc", root / "run", root / "shared"
        for folder in (self.etc / "logical-hosts", self.run, self.shared / "conf", self.shared / "log"):
            folder.mkdir(parents=True)

    def beside(self, name: str) -> "House":
        """The same node, whose next logical host has a shared directory of its own."""
        other = copy.copy(self)
        other.shared = self.root / name
        for folder in ("conf", "log"):
            (other.shared / folder).mkdir(parents=True)
        return other

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
