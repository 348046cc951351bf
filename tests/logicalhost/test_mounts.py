"""A mounted disk is one to every part: with real mounts in a namespace of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.house import House

from bansho.logicalhost import definition, lease
from bansho.logicalhost.errors import SharedDirectoryAbsent
from bansho.logicalhost.mounts import is_mounted

LOOK = """\
import sys
from bansho.logicalhost import definition, lease
from bansho.logicalhost.mounts import is_mounted
print(is_mounted(sys.argv[1]))
lease.available(definition.load("watch"))
"""


def define(house: House, place: Path) -> None:
    house.define(text=f'[disk]\ndevice = "/dev/none"\nmount-point = "{place}"\n')


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("mount", ['mount --bind "$1" "$1"', 'mount -t tmpfs none "$1" && mkdir "$1/conf"'])
def test_the_lease_takes_for_mounted_what_the_agent_does(house: House, mount: str) -> None:
    (house.shared / "conf").mkdir(parents=True, exist_ok=True)
    define(house, house.shared)
    script = f'{mount} && exec "$2" -c "$3" "$1"'
    arguments = [str(house.shared), sys.executable, LOOK]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *arguments], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("named", ["link/mnt", "link/mnt/", "real/to-mnt", "link/to-mnt", "to-real/link/mnt"])
def test_a_mount_point_behind_a_link_is_where_the_link_leads(tmp_path: Path, named: str) -> None:
    (tmp_path / "real/mnt").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/to-mnt").symlink_to("../link/mnt")
    (tmp_path / "to-real").symlink_to(tmp_path)
    look = f"import sys; {LOOK.splitlines()[2]}; print(*map(is_mounted, sys.argv[1:]))"
    script = 'mount -t tmpfs none "$1/real/mnt" && exec "$2" -c "$3" "$1/$4" "$1/link"'
    arguments = [str(tmp_path), sys.executable, look, named]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True False\n"


def test_links_that_lead_nowhere_are_no_mount_point(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    assert not is_mounted(str(tmp_path / "one"))
    assert not is_mounted(str(tmp_path / "one/mnt"))


def test_a_folder_where_nothing_is_mounted_is_absent(house: House) -> None:
    define(house, house.shared)
    assert not is_mounted(str(house.shared))
    with pytest.raises(SharedDirectoryAbsent, match="nothing is mounted"):
        lease.available(definition.load("watch"))
