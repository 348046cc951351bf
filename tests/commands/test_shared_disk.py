"""The shared disk fails for real: a small ext4 of its own is taken away, filled, made read-only, broken or frozen."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.commands.suites import Suite, eventually, service, steady

from bansho.process import identity

pytestmark = pytest.mark.usefixtures("as_root")

SIZE = 16 << 20
SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, (2).to_bytes(4, "little")
"""linux/ext4.h: EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH: from now on every access fails with EIO."""


class Disk:
    """The file system that the logical host's shared directory is."""

    def __init__(self, suite: Suite) -> None:
        self.image, self.point = suite.house.root / "disk", suite.house.shared

    def mount(self, *options: str) -> None:
        subprocess.run(["mount", "-o", ",".join(("loop", *options)), self.image, self.point], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", self.point], check=True)

    def freeze(self) -> None:
        subprocess.run(["fsfreeze", "--freeze", self.point], check=True)

    def thaw(self) -> None:
        subprocess.run(["fsfreeze", "--unfreeze", self.point], check=True)

    def shut_down(self) -> None:
        descriptor = os.open(self.point, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, WITHOUT_FLUSH)
        os.close(descriptor)

    def abort(self) -> None:
        """As after an error in the file system: from now on it can only be read, open files too."""
        subprocess.run(["mount", "-o", "remount,abort", self.point], check=True)

    def fill(self) -> None:
        descriptor = os.open(self.point / "filler", os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while os.write(descriptor, bytes(4096)):
                pass
        os.close(descriptor)


@pytest.fixture
def disk(base: Suite) -> Iterator[Disk]:
    """The shared directory of `base` on a disk of its own, mounted and set up."""
    disk = Disk(base)
    disk.image.write_bytes(b"")
    os.truncate(disk.image, SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", disk.image], check=True)
    disk.mount()
    for name in ("conf", "log"):
        (disk.point / name).mkdir()
    base.house.define(text=f'[disk]\ndevice = "/dev/null"\nmount-point = "{disk.point}"')
    yield disk
    subprocess.run(["fsfreeze", "--unfreeze", disk.point], capture_output=True, check=False)
    base.killall()
    while os.path.ismount(disk.point):
        disk.unmount()


def test_unmounted_before_the_start(base: Suite, disk: Disk) -> None:
    base.write(steady("one"))
    disk.unmount()
    assert base.value == 1
    assert f"nothing is mounted at {disk.point}" in base.status().stdout
    assert not base.folder.exists(), "a standby writes nothing"
    assert "BSHO1005-E" in base.start().stderr
    assert base.processes() == {}
    assert base.value == 1


def test_unmounted_while_it_runs(base: Suite, disk: Disk) -> None:
    base.write(steady("one"))
    base.start()
    disk.unmount()
    base.wait_for(1)
    disk.mount()
    base.wait_for(0)


def test_read_only(base: Suite, disk: Disk) -> None:
    base.write(steady("one"))
    disk.unmount()
    disk.mount("ro")
    said = base.start().stderr
    assert "BSHO2015-E" in said
    assert "Read-only file system" in said
    assert base.processes() == {}
    assert base.value == 8


def test_read_only_while_it_runs(base: Suite, disk: Disk) -> None:
    """Its lease cannot be kept: the shared directory counts as not available, though the services live. Stop works."""
    trace = base.house.root / "trace"
    base.write(service("one", f"trace={trace}", "ready", "wait"))
    base.start()
    disk.abort()
    base.wait_for(1)
    assert "the shared directory does not answer" in base.status().stdout
    assert base.services()["one"]["state"] == "ready"
    assert base.reload().returncode == 0
    assert base.stop().stdout == "base on watch: all stopped\n"
    assert trace.read_text() == "one start\none ready\none stop\n"
    assert base.processes() == {}
    assert base.value == 8


def test_full_before_the_start(base: Suite, disk: Disk) -> None:
    base.write(steady("one"))
    disk.fill()
    said = base.start().stderr
    assert "BSHO2015-E" in said
    assert "No space left on device" in said
    assert base.processes() == {}
    assert base.value == 8


def test_full_while_it_runs(base: Suite, disk: Disk) -> None:
    """The lease has its place, so a full disk is no lost one; start, stop and status go on as ever."""
    base.write(steady("one"))
    base.start()
    disk.fill()
    assert base.value == 0
    assert base.stop().returncode == 0
    assert base.value == 8
    base.start()
    assert base.value == 0


def test_broken_while_it_runs(base: Suite, disk: Disk) -> None:
    base.write(steady("one"))
    base.start()
    disk.shut_down()
    base.wait_for(1)
    assert "the shared directory does not answer" in base.status().stdout
    assert base.killall().returncode == 0
    assert base.processes() == {}
    assert base.value == 1


def test_blocking_for_ever_while_it_runs(base: Suite, disk: Disk) -> None:
    base.write(steady("one"))
    base.start()
    disk.freeze()
    base.wait_for(1)
    assert "the shared directory does not answer" in base.status().stdout
    disk.thaw()
    base.wait_for(0)


def test_a_process_that_the_kernel_holds_is_named(base: Suite, disk: Disk) -> None:
    """It waits uninterruptibly for a frozen disk: nothing ends it. Once the disk is back, it is gone."""
    gate = base.gate("gate")
    held = disk.point / "held"
    base.write(service("held", "ready", f"gate={gate}", f"trace={held}", "wait"), steady("other"))
    base.start()
    pid = base.pid("held")
    disk.freeze()
    gate.write_text("go")
    eventually(lambda: state(pid) == "D")
    ended = base.killall()
    assert ended.returncode == 1
    assert f"BSHO2108-E pid {pid} (" in ended.stderr
    assert "it waits in the kernel and cannot be killed (state D)" in ended.stderr
    assert set(base.processes()) - guardians(base) == {pid}
    assert base.value == 4
    disk.thaw()
    eventually(lambda: state(pid) == "")
    assert base.killall().returncode == 0
    assert base.value == 8


def state(pid: int) -> str:
    stat = identity.stat(pid)
    return stat.state if stat and not stat.ended else ""


def guardians(suite: Suite) -> set[int]:
    return {pid for pid, process in suite.processes().items() if process.is_manager}


def test_a_status_does_not_wait_for_a_disk_that_blocks(base: Suite, disk: Disk) -> None:
    """Reads of a frozen file system go on; its lease is a fifo here, which blocks whoever opens it."""
    base.write(steady("one"))
    os.mkfifo(Path(disk.point, "lease"))
    assert base.status("-t", "1").returncode == 12
    ended = base.start("--timeout", "0.5")
    assert "after 0.5 s and goes on; outstanding: preparing: definition and shared directory" in ended.stderr
    assert base.value == 12, "the start is under way, and is given up in its own time"
