"""What a process holds open, while it opens and closes."""

import os
from pathlib import Path

from bansho.process import holders


def test_a_descriptor_that_is_closed_while_we_look_is_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w") as file:
        twice = os.dup(file.fileno())
        assert list(holders.held(os.getpid(), "")).count(str(path)) == 2
        looking = holders.held(os.getpid(), "")
        assert str(path) in looking
        os.close(twice)
        assert str(path) not in looking
