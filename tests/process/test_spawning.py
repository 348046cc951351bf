"""What keeps a start from having its process manager begin before all else: any doubt, and then nothing happens."""

from collections.abc import Iterator

import pytest
from tests.house import House

from bansho.process import spawning
from bansho.process.folder import Folder, locked


@pytest.fixture
def folder(house: House) -> Iterator[Folder]:
    """The suite's run-time folder; nothing runs, and nothing was begun."""
    house.define()
    folder = Folder(house.run / "watch" / "base")
    yield folder
    assert not folder.log.exists()


@pytest.mark.parametrize("arguments", [[], ["watch", "--json"], ["../watch"], ["-h"], ["wa tch"], ["nobody"], [""]])
def test_other_arguments_than_one_hosts_name(folder: Folder, arguments: list[str]) -> None:
    assert spawning.begin("base", arguments) is None
    assert not folder.path.exists()


def test_no_place_for_its_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANSHO_RUN", "/dev/null")
    assert spawning.begin("base", ["watch"]) is None


@pytest.mark.parametrize("lock", ["lock", "order_lock"])
def test_another_order_or_another_process_manager(folder: Folder, lock: str) -> None:
    folder.create()
    with locked(getattr(folder, lock)):
        assert spawning.begin("base", ["watch"]) is None
    for path in (folder.lock, folder.order_lock):
        assert not path.exists() or spawning.free(str(path)), "no lock is kept"
