"""Running one of the contract's commands with a time limit."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

from bansho.cluster.errors import CommandMissing
from bansho.contract.verdicts import TIMED_OUT, Ended

SAID_BYTES = 2000
"""How much of a command's output a report quotes, from its end."""
KILLED_WITHIN = 1.0


class Answer(NamedTuple):
    """How a command ended, and the last of what it said."""

    ended: Ended
    said: str


def find(command: str, folders: str) -> str:
    """The path of `command` in `folders`, which are separated by colons. Raises CommandMissing."""
    path = shutil.which(command, path=folders)
    if path is None:
        raise CommandMissing(command=command, folders=folders, reason="not found")
    return path


def environment(host: str) -> dict[str, str]:
    """Ours without the cluster's variables, and with the logical host's name: no command can fall back to the node."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OCF_", "HA_", "PCMK_"))}
    return {**kept, "JP1_HOSTNAME": host}


def run(
    arguments: Sequence[str], limit: float, variables: Mapping[str, str], *, leaves_daemons: bool = False
) -> Answer:
    """Runs a command for at most `limit` seconds; after that it is killed and has `TIMED_OUT`. Raises CommandMissing.

    A command that `leaves_daemons` is killed alone, any other with its process group. Output goes to a file in
    memory: a daemon that kept a pipe of ours open would hold us up, and be killed by it when we leave; and a full disk
    must not look like a failure of the suite.
    """
    with open(os.memfd_create("output"), "w+b") as output:  # noqa: PTH123 - a descriptor, not a path
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=variables,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            name, folder = os.path.basename(arguments[0]), os.path.dirname(arguments[0])  # noqa: PTH119, PTH120
            raise CommandMissing(command=name, folders=folder, reason=error.strerror) from None
        ended = _wait(process, limit, leaves_daemons)
        return Answer(ended, _tail(output))


def _wait(process: subprocess.Popen[bytes], limit: float, leaves_daemons: bool) -> Ended:
    if _ends_within(process, limit):
        value = process.wait()
        return Ended(value=value) if value >= 0 else Ended(signal=-value)
    with contextlib.suppress(ProcessLookupError):
        (os.kill if leaves_daemons else os.killpg)(process.pid, signal.SIGKILL)
    if _ends_within(process, KILLED_WITHIN):
        process.wait()
    return TIMED_OUT


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - SAID_BYTES))
    return " / ".join(output.read().decode(errors="replace").split("\n")).strip(" /")
