"""What a process holds open, while it opens and closes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.commands.suites import eventually

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


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("way", ["descriptor", "mapping"])
def test_a_file_system_without_a_path_is_known_by_its_number(tmp_path: Path, way: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path], check=True)
    number, kept = tmp_path.stat().st_dev, tmp_path / "kept"
    with Path("/proc/self/maps").open() as maps:
        library = next(line.split()[-1] for line in maps if "/libc.so" in line)
    shutil.copy(library, kept)
    with kept.open() as file:
        options = {"stdin": file} if way == "descriptor" else {"env": {"LD_PRELOAD": str(kept)}}
        holder = subprocess.Popen(["sleep", "1000"], **options)
    try:
        eventually(lambda: str(kept) in holders.held(holder.pid, str(kept)))
        subprocess.run(["umount", "--lazy", tmp_path], check=True)
        assert holders.holders(str(tmp_path)) == []
        assert holders.holders_on(number) == [holders.Holder(holder.pid, "sleep", "/kept")]
    finally:
        holder.kill()
        holder.wait()
    assert holders.holders_on(number) == []
