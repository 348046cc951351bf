"""What every part's tests share: a house of their own, in a short folder, with its own /etc and /run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house import House
from tests.nodes import Labs

from bansho.lab import Lab


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


@pytest.fixture(scope="session")
def labs() -> Iterator[Labs]:
    """Who gives out real cluster nodes; only `lab` asks it."""
    labs = Labs()
    yield labs
    labs.end()


@pytest.fixture
def lab(labs: Labs) -> Iterator[Lab]:
    """Three real cluster nodes as new (tests/nodes.py): online, nothing configured, the disk mounted nowhere."""
    yield labs.get()
    labs.give_back()
