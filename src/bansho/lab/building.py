"""Building a lab: its folder, then its power daemon, which does the rest."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bansho.lab import cgroup, corosync, ending, namespaces
from bansho.lab.errors import NotBuilt
from bansho.lab.places import Places, last_line
from bansho.lab.spec import Files, Spec

AGENT = Path(__file__).with_name("fence_agent.py")
READY = b"ready\n"
DAEMON = "power"
"""The power daemon's control group and console."""


def build(asked: Spec, files: Files, places: Places, held: int) -> int:
    """Builds the lab whose lock is `held` and returns when all its hosts boot; raises NotBuilt.

    The answer is a descriptor: a lab that is tied dies when it is closed.
    """
    ending.clear(places)
    asked = msgspec.structs.replace(asked, cgroup=cgroup.make(asked.name, (DAEMON, *asked.hosts)))
    places.spec.write_bytes(msgspec.json.encode(asked))
    places.store.mkdir()
    _write_lists(asked, places)
    _write_files(_system_files(asked) | dict(files), places.files)
    return _start(asked, places, held)


def _write_lists(asked: Spec, places: Places) -> None:
    for name, lines in (("layers", asked.layers), ("readable", asked.readable)):
        (places.root / name).write_text("".join(f"{line}\n" for line in lines))
    (places.root / "cib.xml").write_text(corosync.cib())


def _system_files(asked: Spec) -> dict[str, tuple[bytes, int]]:
    return {
        "/etc/corosync/corosync.conf": (corosync.conf(asked.name, asked.nodes).encode(), 0o644),
        "/etc/hosts": (corosync.hosts(asked.hosts).encode(), 0o644),
        "/usr/sbin/fence_bansho_lab": (AGENT.read_bytes(), 0o755),
    }


def _write_files(files: Mapping[str, tuple[bytes, int]], folder: Path) -> None:
    folder.mkdir()
    manifest = ""
    for number, (path, (content, mode)) in enumerate(files.items()):
        (folder / str(number)).write_bytes(content)
        manifest += f"{mode:o} {number} {path}\n"
    (folder / "manifest").write_text(manifest)


def _start(asked: Spec, places: Places, held: int) -> int:
    """Starts the power daemon and waits until it is ready: the descriptor whose other end is its stdin."""
    answers, told = os.pipe()
    end, tie = os.pipe()
    try:
        _spawn(asked, places, held, end, told)
    finally:
        os.close(end)
        os.close(told)
    with os.fdopen(answers, "rb") as lines:
        if lines.readline() != READY:
            os.close(tie)
            raise NotBuilt(name=asked.name, reason=last_line(places.console(DAEMON)))
    return tie


def _spawn(asked: Spec, places: Places, held: int, stdin: int, stdout: int) -> None:
    """In a session of its own, so that no Ctrl-C meant for us ends it."""
    daemon = [sys.executable, "-m", "bansho.lab.powerd", str(places.root)]
    command = namespaces.unshare(namespaces.LAB, namespaces.group_of(asked.cgroup, DAEMON), daemon)
    with places.console(DAEMON).open("wb") as console:
        subprocess.run(
            ["setsid", "--fork", *command],
            stdin=stdin,
            stdout=stdout,
            stderr=console,
            pass_fds=(held,),
            env=os.environ | {"PATH": namespaces.PATH},
            check=True,
        )
