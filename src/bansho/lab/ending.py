"""Ending a lab, whoever started it and whatever is left of it."""

import contextlib
import os
import select
import shutil
import signal
import time

import msgspec

from bansho.lab import cgroup
from bansho.lab.errors import NotDown
from bansho.lab.places import RUN, Places, lock
from bansho.lab.spec import Spec

LIMIT = 10.0
"""Seconds for a lab's processes to end; a tenth of one is usual."""
POWER_DAEMON = b"bansho.lab.powerd"


def end(places: Places) -> bool:
    """Kills the lab's pid 1, so that the kernel ends all of it, and removes its files; whether there was a lab.

    Raises NotDown.
    """
    if not places.root.exists():
        return False
    held = _dead(places)
    clear(places)
    for remove in (places.lock.unlink, places.root.rmdir, RUN.rmdir):  # RUN may hold another lab's folder
        with contextlib.suppress(OSError):
            remove()
    os.close(held)
    return True


def clear(places: Places) -> None:
    """Removes what a dead lab left: control groups, and all files but the lock, which the caller holds."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        cgroup.remove(msgspec.json.decode(places.spec.read_bytes(), type=Spec).cgroup)
    for path in set(places.root.iterdir()) - {places.lock}:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _dead(places: Places) -> int:
    """Kills until the lock is free."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        try:
            return lock(places, os.O_CREAT)
        except BlockingIOError:
            _kill(places)
    raise NotDown(name=places.root.name, limit=LIMIT, folder=places.root)


def _kill(places: Places) -> None:
    """Kills the power daemon and waits, for a moment, until it and so all others in its pid namespace are gone."""
    try:
        pid = int(places.daemon.read_text())
        process = os.pidfd_open(pid)
    except (OSError, ValueError):  # not yet there, or gone already
        time.sleep(0.01)
        return
    try:
        if POWER_DAEMON in _command_line(pid):
            signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], 1.0)
    except ProcessLookupError:
        pass
    finally:
        os.close(process)


def _command_line(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""
