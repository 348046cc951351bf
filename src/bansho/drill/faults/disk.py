"""Faults of the shared disk."""

from pathlib import Path

from bansho.drill.faults.fault import Fault, Fenced, Scene
from bansho.drill.stage import MOUNT_POINT, run
from bansho.lab import disk
from bansho.lab.stall import Stall

FILLER = "filler"


class Unmounted(Fault):
    """The disk is unmounted lazily under the services, which go on with the files that they hold."""

    name, what = "disk-unmounted", "shared disk unmounted lazily under the services"
    undone = "by the cluster, which mounts it again"
    touches = frozenset({"disk"})
    shows = True

    def strike(self, scene: Scene) -> None:
        """Unmounts it."""
        run(scene.victim, "unmount the disk", ["umount", "--lazy", MOUNT_POINT])


class ReadOnly(Fault):
    """The file system goes read-only, as ext4 does after an error of the disk."""

    name, what = "disk-read-only", "shared disk turned read-only by an error of the file system"
    undone = "mounted again"
    shows = True

    def strike(self, scene: Scene) -> None:
        """Reports an error to ext4, which is told to answer with read-only."""
        run(scene.victim, "set the answer to errors", ["mount", "-o", "remount,errors=remount-ro", MOUNT_POINT])
        (Path("/sys/fs/ext4") / Path(scene.stage.lab.disk).name / "trigger_fs_error").write_text("drill")


class Errors(Fault):
    """Every access to the disk returns an error, as after the loss of its path."""

    name, what = "disk-errors", "every access to the shared disk returns EIO"
    undone = "mounted again"
    shows = True

    def strike(self, scene: Scene) -> None:
        """Shuts the file system down on the victim."""
        pid = scene.victim.pid
        disk.lose_unwritten(pid, disk.mount_points(pid, scene.stage.lab.running.device))


class Stalled(Fault):
    """Writes to the disk are held by the kernel: who writes waits, and cannot even be killed meanwhile."""

    undone = "writes pass again"
    shows = True

    def __init__(self, name: str, what: str, held: float, free: float) -> None:
        self.name, self.what, self._pulse = name, what, (held, free)
        self._stall: Stall | None = None

    def strike(self, scene: Scene) -> None:
        """Holds the writes."""
        self._stall = Stall(scene.victim, MOUNT_POINT, *self._pulse)
        self._stall.begin()

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Lets them pass."""
        if self._stall:
            self._stall.end()
            self._stall = None


class Slow(Stalled):
    """A slow disk is no dead one: it is the cluster's to say which, on whichever node has it then."""

    fences: Fenced = "any"
    shows = False
    heals = False
    hold = 15.0


class Full(Fault):
    """No space is left on the disk. Where no node can start Manager the cluster gives up until somebody clears that."""

    name, what = "disk-full", "shared disk full"
    undone = "space given back, and failures cleared, as BSHO6014-E asks for"
    fences: Fenced = "any"
    heals = False

    def strike(self, scene: Scene) -> None:
        """Fills it to the last block."""
        script = f"head -c 1G /dev/zero >{MOUNT_POINT}/{FILLER} 2>/dev/null || :"
        run(scene.victim, "fill the disk", ["sh", "-c", script])

    def undo(self, scene: Scene) -> None:
        """Removes the filler, from whichever node has the disk; from a mount of its own where none has."""
        node = scene.stage.active()
        path = f"{MOUNT_POINT}/{FILLER}"
        if node:
            run(node, "give space back", ["rm", "-f", path])
        else:
            node = scene.standbys[0]
            script = f"mount {scene.stage.lab.disk} /mnt && rm -f /mnt/{FILLER}; umount /mnt"
            run(node, "give space back", ["sh", "-c", script])
        scene.stage.mend()


FAULTS: list[Fault] = [
    Full(),
    Slow("disk-slow", "each write to the shared disk takes up to 0.6 s", held=0.6, free=0.1),
    Unmounted(),
    ReadOnly(),
    Errors(),
    Stalled("disk-hangs", "no write to the shared disk returns any more", held=float("inf"), free=0.0),
]
