"""The shared disk: its kind, its options, and that nothing but the cluster mounts it."""

import os
from collections.abc import Iterator
from pathlib import Path

from bansho.cluster.doctor.finding import CannotTell, Finding, Subject, ask, right, unknown, warning, wrong
from bansho.logicalhost.definition import Disk
from bansho.logicalhost.mounts import is_mounted

JOURNALED = frozenset({"ext3", "ext4", "xfs", "btrfs", "gfs2", "ocfs2"})
UNSAFE = frozenset({"nobarrier", "barrier=0", "data=writeback", "nojournal", "noload", "norecovery"})
"""Mount options that lose after a power failure what was reported as written."""
FSTAB = Path("/etc/fstab")


def kind(subject: Subject) -> Iterator[Finding]:
    """The device is there, and holds the journaled file system that the definition names."""
    disk = required(subject)
    if not Path(disk.device).exists():
        yield wrong(f"{disk.device} is not on this node", "connect the disk, or correct disk.device")
        return
    found = file_system(disk.device)
    if found != disk.type:
        yield wrong(f"{disk.device} holds {found or 'no file system'}, expected {disk.type}", "correct disk.type")
    elif found not in JOURNALED:
        yield wrong(f"{found} keeps no journal", f"make a file system that does: {', '.join(sorted(JOURNALED))}")
    else:
        yield right(f"{disk.device} holds {found}")


def required(subject: Subject) -> Disk:
    """The definition's disk. Raises CannotTell."""
    if subject.host.disk is None:
        raise CannotTell("the definition has no [disk]")
    return subject.host.disk


def file_system(device: str) -> str:
    """What a device holds; empty for nothing. Raises CannotTell."""
    if not os.access(device, os.R_OK):
        raise CannotTell(f"{device} cannot be read by this user; run this as root")
    return ask("blkid", "--probe", "--match-tag", "TYPE", "--output", "value", device).stdout.strip()


def multi_mount(subject: Subject) -> Iterator[Finding]:
    """ext4's multi-mount protection refuses a second mount when fencing failed."""
    disk = required(subject)
    if not Path(disk.device).exists():
        yield unknown(f"{disk.device} is not on this node", "connect the disk")
        return
    found = file_system(disk.device)
    if found != "ext4":
        what = f"{found or 'no file system'} has no multi-mount protection: fencing and the lease alone keep it whole"
        yield warning(what, "test the fencing of every node")
        return
    done = ask("dumpe2fs", "-h", disk.device)
    features = next((line for line in done.stdout.splitlines() if line.startswith("Filesystem features:")), "")
    if "mmp" in features.split():
        yield right(f"{disk.device} has multi-mount protection")
    else:
        todo = f"while it is mounted nowhere: tune2fs -O mmp {disk.device}"
        yield warning(f"{disk.device} has no multi-mount protection", todo)


def options(subject: Subject) -> Iterator[Finding]:
    """No option that gives up what was reported as written."""
    disk = required(subject)
    unsafe = sorted(UNSAFE & set(disk.options.split(",")))
    if unsafe:
        yield wrong(f"mount options {', '.join(unsafe)} lose what was written", "take them out of disk.options")
    else:
        yield right(f"mount options {disk.options or 'none'}")


def mounted_by_cluster_alone(subject: Subject) -> Iterator[Finding]:
    """Not at boot, not by hand, and on an empty folder."""
    disk = required(subject)
    lines = at_boot(FSTAB.read_text(errors="replace"), disk) if FSTAB.exists() else []
    point = Path(disk.mount_point)
    mounted = is_mounted(disk.mount_point)
    if lines:
        yield wrong(f"{FSTAB} mounts it at boot: {lines[0]}", "remove that line: only the cluster may mount it")
    elif mounted and subject.cib is not None and subject.home != subject.node:
        yield wrong(f"{point} is mounted here, and the cluster does not run it here", f"umount {point}")
    elif not point.is_dir():
        yield wrong(f"{point} is no folder on this node", f"mkdir -p {point}")
    elif not mounted and any(point.iterdir()):
        yield warning(f"{point} is not empty while nothing is mounted", "move what lies there: the mount will hide it")
    else:
        yield right(f"{point} is {'mounted by the cluster' if mounted else 'an empty folder'}")


def at_boot(fstab: str, disk: Disk) -> list[str]:
    """The lines of an fstab(5) that mount the disk without being asked."""
    found = []
    for line in fstab.splitlines():
        fields = line.partition("#")[0].split()
        if len(fields) > 3 and _is_it(fields[0], fields[1], disk) and "noauto" not in fields[3].split(","):
            found.append(line.strip())
    return found


def _is_it(device: str, point: str, disk: Disk) -> bool:
    same = os.path.realpath(device) == os.path.realpath(disk.device)
    return same or os.path.normpath(point) == os.path.normpath(disk.mount_point)
