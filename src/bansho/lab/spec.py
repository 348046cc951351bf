"""What a lab is made of, and the check of what was asked for."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from bansho.lab.errors import BadSetting

OUTSIDE = "outside"
"""The host on the network that is no member of the cluster."""

MEBIBYTE = 1 << 20
SIZES = {"M": MEBIBYTE, "G": MEBIBYTE << 10}
SMALLEST_DISK, LARGEST_DISK = 16 * MEBIBYTE, 64 << 30
MOST_NODES = 9

Files = Mapping[str, tuple[bytes, int]]
"""Path in the node -> content and mode."""


class Spec(msgspec.Struct, frozen=True):
    """What was asked for. `disk_size` in bytes; `readable` are folders that get go+rx in the nodes.

    `layers`: folders with an overlay of their own; `cgroup`: the lab's control group, "" for none; `tied`: the lab dies
    with the process that started it.
    """

    name: str
    nodes: tuple[str, ...]
    disk_size: int
    users: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    cgroup: str = ""
    boot_delay: float = 0.0
    """Seconds that a node takes before it boots again, as a machine's firmware does."""
    tied: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """The nodes and the host outside."""
        return (*self.nodes, OUTSIDE)


class Running(msgspec.Struct, frozen=True):
    """A lab that is up: the shared disk and its device number as mountinfo writes it."""

    disk: str
    device: str


def lab_name(value: str) -> str:
    """A lab's name: it is part of paths of sockets, which are short."""
    return _matched("name", value, r"[a-z0-9][a-z0-9-]{0,19}", "1 to 20 of a-z, 0-9 and '-', not '-' first")


def node_names(count: int) -> tuple[str, ...]:
    """`n1`, `n2`, ...; 1 to 9 of them."""
    if not 1 <= count <= MOST_NODES:
        raise BadSetting(setting="number of nodes", value=count, expected=f"1 to {MOST_NODES}")
    return tuple(f"n{number}" for number in range(1, count + 1))


def disk_size(value: str) -> int:
    """`512M` or `2G` in bytes; 16M to 64G."""
    expected = "a size such as 512M or 2G, 16M to 64G"
    digits = _matched("disk size", value, r"[1-9][0-9]{0,5}[MG]", expected)
    size = int(digits[:-1]) * SIZES[digits[-1]]
    if not SMALLEST_DISK <= size <= LARGEST_DISK:
        raise BadSetting(setting="disk size", value=value, expected=expected)
    return size


def user_names(values: Iterable[str]) -> tuple[str, ...]:
    """System users to make in the nodes."""
    return tuple(
        _matched("user", value, r"[a-z_][a-z0-9_-]{0,30}", "a name of a-z, 0-9, '_' and '-'") for value in values
    )


def node_path(value: str) -> str:
    """An absolute path in a node, on one line, without `..`."""
    return _matched("path", value, r"(/(?!\.\.?(/|$))[^/\n\0]+)+", "an absolute path without '.', '..' or a line break")


def host_folder(value: str | Path) -> str:
    """An existing folder of the host, its symbolic links resolved."""
    path = Path(value).resolve()
    if not path.is_dir():
        raise BadSetting(setting="readable", value=str(value), expected="an existing folder")
    return node_path(str(path))


def _matched(setting: str, value: str, pattern: str, expected: str) -> str:
    if not re.fullmatch(pattern, value):
        raise BadSetting(setting=setting, value=value, expected=expected)
    return value
