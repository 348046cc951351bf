"""Logs are set aside while a real process writes them, and what must not be touched is not."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bansho.logicalhost.lease import KeeperState
from bansho.process import launcher, logrotation
from bansho.process.management import logs_to_bound

WRITER = """
import sys
for number, line in enumerate(sys.stdin):
    print(f"{number:06d}", "x" * 92, flush=True)
"""
"""Writes a line of 100 bytes for each that it reads."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "base.x.log"


def test_a_log_is_set_aside_under_a_living_writer_which_goes_on(log: Path) -> None:
    arguments = [sys.executable, "-I", "-S", launcher.__file__, "", str(log), "", "0"]
    command = [*arguments, sys.executable, "-c", WRITER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as writer:
        assert writer.stdin
        for _ in range(3):
            writer.stdin.write(b"\n" * 30)
            while log.stat().st_size < 3000 if log.exists() else True:
                pass
            assert logrotation.rotate(log, 1000)
            assert log.stat().st_size == 0
        assert not logrotation.rotate(log, 1000)
        writer.stdin.write(b"\n")
    assert log.read_text().startswith("000090 ")  # at the beginning: no hole before it
    kept = log.with_name("base.x.log.1").read_text().splitlines()
    assert [line.split()[0] for line in kept] == [f"{number:06d}" for number in range(80, 90)]
    assert sorted(path.name for path in log.parent.iterdir()) == ["base.x.log", "base.x.log.1"]


def test_what_is_set_aside_keeps_owner_and_mode(log: Path) -> None:
    log.write_bytes(b"x" * 11)
    log.chmod(0o640)
    assert logrotation.rotate(log, 10)
    aside = log.with_name("base.x.log.1")
    assert (stat.S_IMODE(aside.stat().st_mode), aside.stat().st_uid) == (0o640, os.getuid())
    assert aside.read_bytes() == b"x" * 10


def test_what_is_small_absent_or_no_file_of_its_own_stays(log: Path) -> None:
    assert not logrotation.rotate(log, 10)
    log.write_bytes(b"x" * 10)
    assert not logrotation.rotate(log, 10)
    log.unlink()
    os.mkfifo(log)
    assert not logrotation.rotate(log, 0)
    log.unlink()
    other = log.with_name("other")
    other.write_bytes(b"x" * 11)
    log.symlink_to(other)
    ((name, problem),) = logrotation.rotate_all(log.parent, [log.name, "absent"])
    assert name == log.name
    assert problem
    assert other.read_bytes() == b"x" * 11


def test_logs_are_only_touched_while_the_shared_directory_is_ours() -> None:
    found = {state: logs_to_bound("base", ["x", "y"], state) for state in KeeperState}
    assert found.pop(KeeperState.HELD) == ["base.x.log", "base.y.log"]
    assert set(map(tuple, found.values())) == {()}


def test_a_link_in_the_place_of_what_is_set_aside_is_not_followed(log: Path) -> None:
    log.write_bytes(b"x" * 11)
    other = log.with_name("other")
    other.write_bytes(b"mine")
    log.with_name("base.x.log.1").symlink_to(other)
    log.with_name("base.x.log.1.new").symlink_to(other)
    assert logrotation.rotate(log, 10)
    assert other.read_bytes() == b"mine"
