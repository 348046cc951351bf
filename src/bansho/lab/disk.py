"""The shared disk: one loop device over a sparse file, an ext4 on it, and what happens to it when power fails.

All nodes use the same device. One loop device a node over one file would let a dying node's late writes reach the
disk after the next owner had mounted it.
"""

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from bansho.lab import mounts

# linux/ext4.h (since 6.11 in the user API; before in fs/ext4/ext4.h): _IOR('X', 125, __u32).
EXT4_IOC_SHUTDOWN = 0x8004587D
EXT4_GOING_FLAGS_NOLOGFLUSH = 2
# linux/fs.h: _IOWR('X', 119, int), _IOWR('X', 120, int).
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878


def attach(file: Path, size: int) -> str:
    """Makes the disk and its ext4: the device. It stays for as long as this process lives or a node has it mounted."""
    with file.open("wb") as image:
        image.truncate(size)
    device = _run("losetup", "--find", "--show", str(file)).strip()
    os.open(device, os.O_RDONLY | os.O_CLOEXEC)  # never closed: what is in use is detached only when it no longer is
    _run("losetup", "--detach", device)
    _run("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard,lazy_journal_init=1", "-L", "bansho-lab", device)
    return device


def number(device: str) -> str:
    """A device's number as mountinfo writes it: `7:0`."""
    major_minor = Path(device).stat().st_rdev
    return f"{os.major(major_minor)}:{os.minor(major_minor)}"


def mount_points(pid: int, device: str) -> list[str]:
    """Where the process has the device number mounted; none if the process is gone."""
    try:
        text = Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return []
    return [mount.point for mount in mounts.parse(text) if mount.device == device]


def lose_unwritten(pid: int, points: Iterable[str]) -> None:
    """Shuts the file system down as the process has it mounted, the log unflushed: what was not synced is gone.

    Writes that were held (`freeze`) then fail: until they return, not even SIGKILL ends who waits.
    """
    for point in points:
        with opened(pid, point) as descriptor:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH.to_bytes(4, "little"))
            thaw(descriptor)


def let_pass(pid: int, points: Iterable[str]) -> None:
    """Lets writes pass that were held, on every mount point of the process."""
    for point in points:
        with opened(pid, point) as descriptor:
            thaw(descriptor)


@contextlib.contextmanager
def opened(pid: int, point: str) -> Iterator[int]:
    """A descriptor of the mount point as the process sees it."""
    descriptor = os.open(f"/proc/{pid}/root{point}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def freeze(descriptor: int) -> None:
    """Holds every write to the file system, as a disk that no longer answers."""
    fcntl.ioctl(descriptor, FIFREEZE, 0)


def thaw(descriptor: int) -> None:
    """Lets the writes pass, if they were held."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, FITHAW, 0)


def in_use(device: str) -> bool:
    """Whether the kernel holds the device's file system mounted anywhere."""
    return Path("/sys/fs/ext4", Path(device).name).exists()


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
