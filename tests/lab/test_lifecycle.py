"""A lab comes, goes, and leaves nothing, however it or its starter ends."""

import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bansho.lab import Lab, ending, mounts, requirements
from bansho.lab.errors import BadSetting, LabExists, MachineUnfit, NoLab, NotBuilt, NotOnline
from bansho.lab.places import Places

pytestmark = pytest.mark.nodes


@pytest.fixture(autouse=True)
def _tidy(lab_name: str) -> Iterator[None]:
    yield
    ending.end(Places.of(lab_name))


BOOT_ID = "/proc/sys/kernel/random/boot_id"


def namespaces(pid: int) -> set[str]:
    return {str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for kind in ("pid", "net", "mnt")}


def inhabitants(spaces: set[str]) -> set[int]:
    """The processes that are in any of the namespaces."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if namespaces(int(folder.name)) & spaces:
                found.add(int(folder.name))
        except OSError:
            continue
    return found


def spaces_of(lab: Lab) -> set[str]:
    own = namespaces(os.getpid())
    return set().union(*(namespaces(pid) for pid in (lab.pid, *(lab.node(host).pid for host in lab.spec.hosts)))) - own


def backing_files() -> list[str]:
    return [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")]


def host() -> tuple[str, list[str], set[str]]:
    """What a lab might leave on the host: mounts, network devices, users."""
    mounts = Path("/proc/self/mountinfo").read_text()
    return (
        mounts,
        sorted(path.name for path in Path("/sys/class/net").iterdir()),
        set(Path("/etc/passwd").read_text().splitlines()),
    )


def wait_gone(pids: set[int]) -> None:
    """Until none of the processes runs any more; a zombie that its parent has not taken yet does not run."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([descriptor], [], [], 20)[0], f"{pid} still runs"
        finally:
            os.close(descriptor)


def assert_nothing_left(name: str, group: str) -> None:
    assert not Places.of(name).root.exists()
    assert not any(f"/bansho-lab/{name}/" in file for file in backing_files())
    assert not group or not Path(group).exists()


def test_a_lab_leaves_nothing(lab_name: str) -> None:
    before = host()
    lab = Lab.up(lab_name, nodes=2, online=False, users=["guest"], files={"/etc/motd": (b"hello", 0o640)})
    assert lab.node("n1").run(["stat", "-c", "%a %s", "/etc/motd"]).stdout == "640 5\n"
    assert host() == before
    spaces, group, disk = spaces_of(lab), lab.spec.cgroup, lab.disk
    people = inhabitants(spaces)
    assert len(people) > 10
    assert any(f"/bansho-lab/{lab_name}/" in file for file in backing_files())

    lab.down()

    assert inhabitants(spaces) == set()
    assert_nothing_left(lab_name, group)
    assert host() == before
    assert not Path("/sys/fs/ext4", Path(disk).name).exists()
    lab.down()


def test_a_second_lab_of_that_name_is_refused_and_the_first_one_stays(lab_name: str) -> None:
    lab = Lab.up(lab_name, nodes=1, online=False)
    with pytest.raises(LabExists, match="is up already"):
        Lab.up(lab_name, nodes=1, online=False)
    assert Lab.open(lab_name).node("n1").run(["hostname"]).stdout == "n1\n"
    assert lab.node("n1").on


def test_two_labs_have_networks_of_their_own(lab_name: str, bare: Lab) -> None:
    bare.down()
    with Lab.up(f"{lab_name}-x", nodes=1, online=False) as one, Lab.up(lab_name, nodes=1, online=False) as other:
        assert one.disk != other.disk
        assert one.address("n1") == other.address("n1")
        one.node("n1").cable("cut")
        assert other.outside.run(["ping", "-c1", "-W2", other.address("n1")]).returncode == 0
        assert one.outside.run(["ping", "-c1", "-W1", one.address("n1")]).returncode != 0


def test_without_a_lab_there_is_none_to_open(lab_name: str) -> None:
    with pytest.raises(NoLab):
        Lab.open(lab_name)
    assert ending.end(Places.of(lab_name)) is False


def test_when_its_first_process_is_killed_all_of_it_dies_and_the_name_is_free_again(lab_name: str) -> None:
    lab = Lab.up(lab_name, nodes=1, online=False)
    spaces, group = spaces_of(lab), lab.spec.cgroup
    people = inhabitants(spaces)
    os.kill(lab.pid, signal.SIGKILL)
    wait_gone(people)
    with pytest.raises(NoLab):
        Lab.open(lab_name)
    again = Lab.up(lab_name, nodes=1, online=False)
    assert again.node("n1").run(["true"]).returncode == 0
    again.down()
    assert_nothing_left(lab_name, group)


STARTER = "import sys, time; from bansho.lab import Lab\nlab = Lab.up(sys.argv[1], nodes=1, online=False, tied=True)\n"


def test_a_tied_lab_dies_with_its_starter_even_if_that_is_killed(lab_name: str) -> None:
    command = [sys.executable, "-c", STARTER + "print('up', flush=True); time.sleep(600)", lab_name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        people = inhabitants(spaces_of(Lab.open(lab_name)))
        starter.kill()
    wait_gone(people)


def started(lab_name: str) -> subprocess.Popen[str]:
    """`bansho lab up`, under way: its nodes boot and are not yet online."""
    bansho = [str(Path(sys.prefix, "bin", "bansho")), "lab", "up", "--name", lab_name]
    starter = subprocess.Popen(bansho, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not Places.of(lab_name).running.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return starter


def test_ctrl_c_during_up_leaves_nothing(lab_name: str) -> None:
    with started(lab_name) as starter:
        lab = Lab.open(lab_name)
        spaces, group = spaces_of(lab), lab.spec.cgroup
        starter.send_signal(signal.SIGINT)
        starter.communicate(timeout=20)
    assert starter.returncode == 1
    assert inhabitants(spaces) == set()
    assert_nothing_left(lab_name, group)


def test_down_ends_a_lab_whose_starter_was_killed(lab_name: str) -> None:
    with started(lab_name) as starter:
        lab = Lab.open(lab_name)
        spaces, group = spaces_of(lab), lab.spec.cgroup
        starter.kill()
        starter.communicate(timeout=20)
    lab.down()
    assert inhabitants(spaces) == set()
    assert_nothing_left(lab_name, group)


def test_a_lab_whose_nodes_cannot_boot_is_refused_with_the_reason_and_leaves_nothing(lab_name: str) -> None:
    with pytest.raises(NotBuilt, match=r"n1 did not boot|outside did not boot") as refused:
        Lab.up(lab_name, nodes=1, files={"/proc/nowhere/file": (b"", 0o644)})
    assert "/proc/nowhere" in str(refused.value)
    assert_nothing_left(lab_name, "")


def test_nodes_that_do_not_come_online_are_named(lab_name: str) -> None:
    with Lab.up(lab_name, nodes=2, online=False) as lab:
        lab.node("n2").cable("cut")
        with pytest.raises(NotOnline, match="n2"):
            lab.wait_online("n1", "n2", limit=0.5)


def test_an_unfit_machine_is_refused_before_anything_is_made(lab_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "AGENTS", Path("/nonexistent"))
    with pytest.raises(MachineUnfit, match="resource-agents"):
        Lab.up(lab_name)
    assert not Places.of(lab_name).root.exists()


def test_a_bad_setting_is_refused_before_anything_is_made(lab_name: str) -> None:
    bad: list[dict[str, Any]] = [{"nodes": 0}, {"disk_size": "1T"}, {"users": ["a b"]}, {"readable": ["/nonexistent"]}]
    for settings in bad:
        with pytest.raises(BadSetting):
            Lab.up(lab_name, **settings)
    with pytest.raises(BadSetting):
        Lab.up(lab_name, files={"relative": (b"", 0o644)})
    assert not Places.of(lab_name).root.exists()


@pytest.mark.parametrize("where", ["/tmp", "/var/tmp"])
def test_a_private_folder_is_readable_in_the_nodes_alone(lab_name: str, where: str) -> None:
    with tempfile.TemporaryDirectory(dir=where) as private:
        folder = Path(private, "deep")
        folder.mkdir(mode=0o700)
        (folder / "file").write_text("content")
        (folder / "file").chmod(0o644)
        with Lab.up(lab_name, nodes=1, online=False, users=["guest"], readable=[folder]) as lab:
            node = lab.node("n1")
            as_guest = ["setpriv", "--reuid", "guest", "--clear-groups", "--"]
            assert node.run([*as_guest, "cat", str(folder / "file")]).stdout == "content"
            node.run(["sh", "-c", f"echo changed >{folder}/file; touch {folder}/new"], check=True)
            node.power("reboot")
            lab.wait_power("boot", "n1", after=time.monotonic())
            assert node.run([*as_guest, "cat", str(folder / "file")]).stdout == "changed\n"
        assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(Path(private).stat().st_mode) == 0o700
        assert [path.name for path in folder.iterdir()] == ["file"]
        assert (folder / "file").read_text() == "content"


def test_the_callers_umask_does_not_reach_the_nodes(lab_name: str) -> None:
    before = os.umask(0o077)
    try:
        lab = Lab.up(lab_name, nodes=1, online=False, users=["guest"])
    finally:
        os.umask(before)
    node = lab.node("n1")
    assert node.run(["setpriv", "--reuid", "guest", "--clear-groups", "cat", BOOT_ID]).stdout == f"{node.boot_id()}\n"
    assert node.run(["sh", "-c", "umask"]).stdout == "0022\n"
    assert node.run(["stat", "-c", "%a", "/run/bansho-lab/power.sock"]).stdout == "700\n"


def test_a_machine_without_control_groups_for_us_carries_a_lab(lab_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "of_host", list)
    with Lab.up(lab_name, nodes=1, online=False) as lab:
        assert lab.spec.cgroup == ""
        assert lab.node("n1").run(["hostname"]).stdout == "n1\n"
