"""Putting the resource agent where Pacemaker looks for it."""

import re
import sys
from pathlib import Path

from bansho.cluster.errors import CannotInstall

SOURCE = Path(__file__).parent / "ocf" / "suite"
PLACE = Path("usr/lib/ocf/resource.d/bansho/suite")
OUR_COMMANDS = Path(sys.executable).parent
"""The folder of our commands: beside the Python that runs this."""
BIN = re.compile(r"^bin=.*$", re.MULTILINE)


def agent_text(folder: Path) -> str:
    """The agent's file for commands and a Python in `folder`."""
    quoted = "'" + str(folder).replace("'", "'\\''") + "'"
    return BIN.sub(lambda _: f"bin={quoted}", SOURCE.read_text(encoding="utf-8"), count=1)


def install(root: Path, folder: Path) -> Path:
    """Writes the agent below `root`, for the commands and the Python in `folder`.

    Returns its path. It is renamed into place, so a monitor under way reads a whole file. Raises CannotInstall.
    """
    path = root / PLACE
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(agent_text(folder), encoding="utf-8")
        new.chmod(0o755)
        new.replace(path)
    except OSError as error:
        raise CannotInstall(path=path, reason=error.strerror) from None
    return path
