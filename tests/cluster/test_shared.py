"""The shared directory as a node sees it, with real mounts in a namespace of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from bansho.cluster.agent import shared

LOOK = "import sys; from bansho.cluster.agent.shared import online; print(online(*sys.argv[1:]))"


def seen(mount: str, place: Path, directory: Path) -> bool:
    """Whether the directory is online after `mount` (a line of sh, `$1` is the place) in a new mount namespace."""
    script = f'{mount} && exec "$2" -c "$3" "$4" "$1"'
    arguments = [str(place), sys.executable, LOOK, str(directory)]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout == "True\n"


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("name", ["disk", "with space", "back\\slash"])
def test_a_mounted_disk_is_online(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.mkdir()
    tmpfs = 'mount -t tmpfs none "$1"'
    assert seen(tmpfs, place, place)
    assert seen(f'{tmpfs} && mkdir "$1/shared"', place, place / "shared")
    assert not seen(tmpfs, place, place / "shared")


@pytest.mark.usefixtures("as_root")
def test_a_bind_mount_of_the_same_filesystem_is_a_mount(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    assert seen('mount --bind "$1" "$1"', place, place)
    assert seen('mount --bind "$1" "$1"', Path(f"{place}/"), place)


def test_a_directory_below_an_empty_mount_point_is_offline(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    assert not shared.online(str(tmp_path / "shared"), str(tmp_path))
    assert shared.online(str(tmp_path / "shared"), "")
    assert shared.online("/proc", "/proc")


def test_a_holder_that_ends_meanwhile_has_no_terminal() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not shared.has_terminal(ended.pid)
