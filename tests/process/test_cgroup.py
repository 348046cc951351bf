"""Where a suite's control group is made, and what becomes of it where that is not possible."""

import os
import subprocess
import threading
from pathlib import Path

import pytest
from tests.process.nobody import as_nobody

from bansho.process import bounded, cgroup, termination

MOUNT = "30 23 0:26 {root} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
OTHERS = "22 27 0:20 / /proc rw - proc proc rw\n31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
PLACES: dict[str, tuple[str, str, str | None]] = {
    "in a group": (MOUNT.format(root="/"), "0::/system.slice/pacemaker.service\n", "system.slice/pacemaker.service"),
    "at the top": (MOUNT.format(root="/"), "0::/\n", ""),
    "beside the old version": (MOUNT.format(root="/"), "4:cpu:/busy\n0::/quiet\n", "quiet"),
    "in a service of ours": (MOUNT.format(root="/"), "0::/a/bansho.watch.base.1f/service.x\n", "a"),
    "in a container": (MOUNT.format(root="/docker/7"), "0::/docker/7/a\n", "a"),
    "outside of what is mounted": (MOUNT.format(root="/docker/7"), "0::/docker/8\n", None),
    "nothing mounted": ("", "0::/a\n", None),
    "only the old version": (MOUNT.format(root="/"), "4:cpu:/a\n", None),
}


@pytest.mark.parametrize(("mount", "groups", "below"), PLACES.values(), ids=PLACES)
def test_the_group_of_a_process(mount: str, groups: str, below: str | None) -> None:
    found = cgroup.group_of(OTHERS + mount, groups)
    assert found == (None if below is None else Path("/sys/fs/cgroup", below))


@pytest.mark.usefixtures("as_root")
def test_without_the_right_to_make_one_there_is_none() -> None:
    def try_it() -> tuple[bool, bool]:
        before = Path("/proc/self/cgroup").read_text()
        return cgroup.create("test") is None, Path("/proc/self/cgroup").read_text() == before

    assert as_nobody(try_it) == [True, True]


def test_a_group_that_is_gone_has_no_process(tmp_path: Path) -> None:
    """As it is for who reads it just after its end: its folder was listed, and its file cannot be read."""
    assert cgroup.processes(tmp_path) == set()
    assert cgroup.wait_empty(tmp_path, 10)
    cgroup.kill(tmp_path)


@pytest.mark.usefixtures("as_root")
def test_whoever_ends_a_group_leaves_it_first() -> None:
    if cgroup.own() is None:
        pytest.skip("no control groups v2 here")

    def inside_and_outside() -> list[bool]:
        group = cgroup.create("test")
        assert group is not None
        seen = [cgroup.populated(group)]
        for _ in range(2):  # the second time it is out already
            termination.leave_group(group)
            seen.append(cgroup.populated(group))
        cgroup.remove(group)
        return [*seen, group.exists()]

    assert bounded.ask(inside_and_outside, 10) == [True, False, False, False]


class Waker(threading.Thread):
    """Ends a process once the thread that begins it waits in the kernel for news of files."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        super().__init__()
        self._process, self._waiting = process, Path("/proc/self/task", str(threading.get_native_id()), "wchan")

    def run(self) -> None:
        while "poll" not in self._waiting.read_text():
            os.sched_yield()
        self._process.kill()


@pytest.mark.usefixtures("as_root")
def test_the_end_of_a_groups_last_process_wakes_whoever_waits_for_it() -> None:
    parent = cgroup.own()
    if parent is None:
        pytest.skip("no control groups v2 here")
    group = parent / f"bansho.test.{os.getpid()}"
    group.mkdir()
    with subprocess.Popen(["sleep", "1000"]) as process:
        (group / "cgroup.procs").write_text(str(process.pid))
        assert not cgroup.wait_empty(group, 0)
        Waker(process).start()
        assert cgroup.wait_empty(group, 60)
    cgroup.remove(group)
    assert not group.exists()
