"""A node that is only told its role: orders that overtake each other, a barred node, the disk it mounts itself."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.commands.suites import eventually

from bansho.cluster.adapter import role
from bansho.cluster.adapter.errors import DiskNotTaken
from bansho.cluster.adapter.host import load
from bansho.logicalhost.mounts import is_mounted
from bansho.logicalhost.places import NodePlaces

if TYPE_CHECKING:
    from tests.cluster.products.conftest import Site


def told(site: "Site", action: str) -> int:
    return site.call("keepalived", action)


def test_whoever_has_no_part_in_it_may_become_the_master(site: "Site") -> None:
    site.define(disk="")
    assert told(site, "track") == 0
    assert told(site, "release") == 0
    assert told(site, "track") == 0


def test_a_master_is_tracked_until_it_is_released(site: "Site") -> None:
    site.define(disk="")
    assert told(site, "master") == 0
    assert told(site, "track") == 0
    site.kill("manager")
    assert told(site, "track") == 1
    assert told(site, "release") == 0
    assert told(site, "track") == 0, "it has done what it was told: it may have it back"


@pytest.mark.parametrize("action", ["master", "release"])
def test_where_an_order_failed_the_node_is_barred_until_the_window_has_passed(site: "Site", action: str) -> None:
    site.define(disk="", failure_window="1")
    for command in ("jbs_start.cluster", "jbs_killall.cluster"):
        site.do(command, "exit 0")
    site.answer(4)
    assert told(site, action) == 1
    assert told(site, "track") == 1
    site.answer(0)
    site.answer(0, suite="manager")
    eventually(lambda: told(site, "track") == 0)


def test_the_last_order_stands_and_nobody_is_blamed_for_an_order_under_way(site: "Site") -> None:
    site.define(disk="")
    control = site.render("keepalived") / "control"
    assert told(site, "release") == 0
    with (NodePlaces.of("watch").root / "role/lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = NodePlaces.of("watch").root / "role/wanted"
        orders = []
        for action, order in (("master", "master"), ("release", "released")):
            orders.append(subprocess.Popen([control, action]))
            eventually(lambda order=order: wanted.read_text() == order)  # type: ignore[misc]
            assert told(site, "track") == 0
    assert [each.wait(30) for each in orders] == [0, 0]
    assert not [call for call in site.calls() if "start" in call]


@pytest.fixture
def disk(site: "Site", as_root: None) -> Iterator[Path]:
    """A disk that the node mounts itself: a folder, bound to the mount point that holds the shared directory."""
    backing, mount_point = site.house.root / "backing", site.house.root / "disk"
    mount_point.mkdir()
    site.shared.rename(backing)
    site.shared = mount_point
    (site.state / "directory").write_text(str(mount_point))
    table = f'[disk]\ndevice = "{backing}"\nmount-point = "{mount_point}"\ntype = "none"\noptions = "bind"'
    site.define(disk=table)
    path = site.house.etc / "logical-hosts/watch.toml"
    path.write_text(path.read_text().replace(f'"{site.house.shared}"', f'"{mount_point}"'))
    yield mount_point
    subprocess.run(["umount", "--lazy", mount_point], capture_output=True, check=False)


def test_a_master_mounts_and_gives_back(site: "Site", disk: Path) -> None:
    assert told(site, "master") == 0
    assert (disk / "log/held-by-base").exists()
    assert told(site, "release") == 0
    assert list(disk.iterdir()) == []


def test_a_disk_that_somebody_holds_bars_the_node_and_names_who(
    site: "Site", disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told(site, "master")
    with (disk / "log/kept").open("w") as kept:
        holder = subprocess.Popen(["sleep", "1000"], stdout=kept, start_new_session=True)
    assert told(site, "release") == 1
    holder.kill()
    holder.wait()
    assert f"sleep (pid {holder.pid}, {disk}/log/kept)" in capfd.readouterr().err
    assert told(site, "track") == 1


def test_a_disk_that_another_node_still_holds_is_waited_for(
    site: "Site", disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = site.house.root / "bin/mount"
    mount.parent.mkdir()
    mount.write_text(f'#!/bin/sh\n[ -e {mount}.tried ] && PATH=/bin exec mount "$@"\n: >{mount}.tried\nexit 32\n')
    mount.chmod(0o755)
    monkeypatch.setenv("PATH", f"{mount.parent}:{os.environ['PATH']}")
    (resource, *_) = load("keepalived", "watch").model.resources
    with pytest.raises(DiskNotTaken, match="mount ended with 32; does another node"):
        role.mount(resource, patience=0)
    Path(f"{mount}.tried").unlink()
    role.mount(resource, patience=30)
    assert is_mounted(str(disk))
