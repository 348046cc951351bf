"""Folders that services get beside the suites' ones."""

import pytest
from tests.house import House
from tests.process.nobody import NOBODY, as_nobody

from bansho.process.folder import Folder


@pytest.mark.usefixtures("as_root")
def test_an_ordinary_user_gives_one_to_itself(house: House) -> None:
    """To whom else it could not; and a second start finds it there."""
    house.root.chmod(0o755)
    house.run.chmod(0o777)
    for _ in range(2):
        assert as_nobody(lambda: Folder(house.run / "base").give("files", NOBODY.pw_uid, NOBODY.pw_gid)) is None
    state = (house.run / "files").stat()
    assert (state.st_mode & 0o777, state.st_uid) == (0o700, NOBODY.pw_uid)
    assert "PermissionError" in as_nobody(lambda: Folder(house.run / "base").give("files", 0, 0))
