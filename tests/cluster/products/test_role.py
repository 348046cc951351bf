"""A node whose address moves: changes that overtake each other, a barred node, the disk it mounts itself."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.commands.suites import eventually

from bansho.cluster.adapter import role
from bansho.cluster.adapter.errors import DiskNotTaken
from bansho.cluster.adapter.host import load
from bansho.logicalhost.mounts import is_mounted

if TYPE_CHECKING:
    from tests.cluster.products.conftest import Site


@pytest.fixture(autouse=True)
def path(site: "Site", monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's `ip` is the one that knows the logical address."""
    monkeypatch.setenv("PATH", site.environment["PATH"])


def told(site: "Site", action: str) -> int:
    return site.call("keepalived", action)


def master(site: "Site") -> int:
    """The node gets the address, and then keepalived says so."""
    site.address(is_here=True)
    return told(site, "role")


def release(site: "Site") -> int:
    site.address(is_here=False)
    return told(site, "role")


def test_whoever_has_no_part_in_it_may_become_the_master(site: "Site") -> None:
    site.define(disk="")
    assert told(site, "track") == 0
    assert release(site) == 0
    assert told(site, "track") == 0
    assert (site.bin / "asked").read_text() == "-o address show to 192.0.2.10\n"


def test_a_master_is_tracked_until_it_is_released(site: "Site") -> None:
    site.define(disk="")
    assert master(site) == 0
    assert told(site, "track") == 0
    site.kill("manager")
    assert told(site, "track") == 1
    assert release(site) == 0
    assert told(site, "track") == 0, "it has done what it was told: it may have it back"


@pytest.mark.parametrize("change", [master, release])
def test_where_that_failed_the_node_is_barred_until_the_window_has_passed(
    site: "Site", change: Callable[["Site"], int]
) -> None:
    site.define(disk="", failure_window="1")
    for command in ("jbs_start.cluster", "jbs_killall.cluster"):
        site.do(command, "exit 0")
    site.answer(4)
    assert change(site) == 1
    assert told(site, "track") == 1
    site.answer(0)
    site.answer(0, suite="manager")
    eventually(lambda: told(site, "track") == 0)


@pytest.mark.parametrize("is_here", [True, False])
def test_what_counts_is_where_the_address_is_and_not_who_comes_first(site: "Site", is_here: bool) -> None:
    """The scripts of two changes, each held up while the other is run: both find how it has ended."""
    site.define(disk="")
    control = site.render("keepalived") / "control"
    changes = []
    for change in (not is_here, is_here):
        site.address(is_here=change)
        script = ["/bin/sh", "-c", f"read go; exec {control} role"]
        changes.append(subprocess.Popen(script, stdin=subprocess.PIPE))
    for started in reversed(changes):
        started.communicate(b"go\n")
        assert started.returncode == 0
        assert ("jco_start.cluster" in site.orders()) == is_here
    assert (site.state / "base.pid").exists() == is_here


def test_a_node_that_is_taking_up_a_role_is_not_blamed_and_keeps_others_waiting(site: "Site") -> None:
    site.define(disk="")
    site.do("jbs_start.cluster", 'echo $$ >"$state/starting"; read go <"$state/go"; exit 0')
    os.mkfifo(site.state / "go")
    control = site.render("keepalived") / "control"
    site.address(is_here=True)
    starting = subprocess.Popen([control, "role"], stderr=subprocess.DEVNULL)
    eventually((site.state / "starting").exists)
    assert told(site, "track") == 0
    with subprocess.Popen([control, "role"]) as waiting:
        eventually(lambda: f"-> FLOCK  ADVISORY  WRITE {waiting.pid} " in Path("/proc/locks").read_text())
        site.address(is_here=False)
        (site.state / "go").write_text("on\n")
        assert starting.wait(30) == 1, "it lied: nothing runs"
    assert waiting.returncode == 0
    assert site.orders()[-1] == "jbs_killall.cluster", "when its turn came the address had gone"


@pytest.mark.parametrize("python_is_loaded", [False, True])
def test_a_stop_goes_on_when_whoever_started_it_ends(site: "Site", python_is_loaded: bool) -> None:
    """keepalived's scripts get SIGTERM with its end, which is just when the suites are to be stopped."""
    site.define(disk="")
    assert master(site) == 0
    control, go = site.render("keepalived") / "control", site.state / "go"
    os.mkfifo(go)
    waits = f'echo $$ >"{site.state}/waits"; read go <"{go}"\n'
    if python_is_loaded:
        site.do("jco_stop.cluster", waits)
    else:
        slow = site.bin / "python3"
        slow.write_text(f'#!/bin/sh\n{waits}exec {sys.executable} "$@"\n')
        slow.chmod(0o755)
        control.write_text(re.sub("(?m)^python=.*", f"python={slow}", control.read_text()))
    site.address(is_here=False)
    with subprocess.Popen([control, "role"]) as stopping:
        eventually((site.state / "waits").exists)
        stopping.terminate()
        go.write_text("on\n")
    assert stopping.returncode == 0
    assert site.orders()[-1] == "jbs_killall.cluster"
    assert not (site.state / "base.pid").exists()


def test_what_is_started_heeds_a_signal(site: "Site") -> None:
    site.define(disk="")
    site.address(is_here=True)
    assert site.run(site.render("keepalived") / "control", "role") == (0, "")
    status = Path("/proc", (site.state / "base.pid").read_text().strip(), "status").read_text()
    [ignored] = re.findall(r"SigIgn:\t([0-9a-f]+)", status)
    assert not int(ignored, 16) & 1 << (signal.SIGTERM - 1)


def test_a_node_that_cannot_tell_whether_it_has_the_address_gives_up(
    site: "Site", capfd: pytest.CaptureFixture[str]
) -> None:
    site.define(disk="")
    assert master(site) == 0
    (site.bin / "ip").write_text("#!/bin/sh\necho no netlink >&2\nexit 1\n")
    assert told(site, "role") == 1
    assert not (site.state / "base.pid").exists()
    assert told(site, "track") == 1
    assert (
        "192.0.2.10: cannot tell whether this node has the address: ip address show: no netlink"
        in capfd.readouterr().err
    )


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
    assert master(site) == 0
    assert (disk / "log/held-by-base").exists()
    assert release(site) == 0
    assert list(disk.iterdir()) == []


def test_a_disk_that_somebody_holds_bars_the_node_and_names_who(
    site: "Site", disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    master(site)
    with (disk / "log/kept").open("w") as kept:
        holder = subprocess.Popen(["sleep", "1000"], stdout=kept, start_new_session=True)
    assert release(site) == 1
    holder.kill()
    holder.wait()
    assert f"sleep (pid {holder.pid}, {disk}/log/kept)" in capfd.readouterr().err
    assert told(site, "track") == 1


def test_a_disk_that_another_node_still_holds_is_waited_for(site: "Site", disk: Path) -> None:
    mount = site.bin / "mount"
    mount.write_text(f'#!/bin/sh\n[ -e {mount}.tried ] && PATH=/bin exec mount "$@"\n: >{mount}.tried\nexit 32\n')
    mount.chmod(0o755)
    (resource, *_) = load("keepalived", "watch").model.resources
    with pytest.raises(DiskNotTaken, match="mount ended with 32; does another node"):
        role.mount(resource, patience=0)
    Path(f"{mount}.tried").unlink()
    role.mount(resource, patience=30)
    assert is_mounted(str(disk))
