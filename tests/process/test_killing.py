"""Forced termination while the shared disk does not answer: it ends what there is, and says what it could not do."""

import os
import signal
import subprocess

import pytest
from tests.house import House

from bansho.logicalhost import definition
from bansho.process import killing
from bansho.process.bringup import folder_of


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is given up sooner than it would be."""
    monkeypatch.setattr(killing, "DISK_LIMIT", 0.1)


def test_a_lease_on_a_disk_that_hangs_is_kept(house: House) -> None:
    """A fifo without a writer hangs whoever opens it, as a dead disk does."""
    house.define()
    host = definition.load("watch")
    folder_of(host, "base").create()
    os.mkfifo(host.shared.lease)
    assert killing.kill(host, "base") == ([], [], "the shared directory did not answer within 0 s")


def test_a_lease_that_cannot_be_read_is_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killing, "DISK_LIMIT", 10)
    house.define()
    host = definition.load("watch")
    host.shared.lease.mkdir()
    assert "Is a directory" in killing.kill(host, "base").lease_kept


def test_holders_are_named_by_the_given_path_where_its_links_cannot_be_followed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.define()
    monkeypatch.setattr(os.path, "realpath", lambda _path: signal.pause())
    with (house.shared / "held").open("w") as file, subprocess.Popen(["sleep", "1000"], stdin=file) as holder:
        file.close()
        assert [found.pid for found in killing.kill(definition.load("watch"), "base").holders] == [holder.pid]
        holder.kill()
