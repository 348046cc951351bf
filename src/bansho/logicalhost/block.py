"""One sector of a file on a shared disk, read and written past this node's page cache, in place.

Another node may have written the disk since: a cached page would hide that. A record fits one 512-byte sector, so that
a power loss leaves the old one or the new one.
"""

import errno
import json
import mmap
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIZE = 4096
"""Bytes from one block to the next: what O_DIRECT wants on every disk."""
SECTOR = 512


class DamagedBlock(ValueError):
    """Raised when a block's content does not match its checksum."""


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """A descriptor that bypasses the page cache where the file system can (tmpfs could not before Linux 6.6)."""
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_DIRECT, 0o644)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(descriptor: int, index: int) -> dict[str, Any] | None:
    """The record in block `index`, or None where nothing was ever written. Raises DamagedBlock or OSError."""
    with mmap.mmap(-1, SIZE) as page:
        os.preadv(descriptor, [page], index * SIZE)
        return decode(page[:SECTOR])


def write(descriptor: int, index: int, record: dict[str, Any]) -> None:
    """Puts a record into block `index`; it is on the disk when this returns. Raises OSError."""
    with mmap.mmap(-1, SIZE) as page:
        page[:SECTOR] = encode(record)
        os.pwritev(descriptor, [page], index * SIZE)
        os.fdatasync(descriptor)


def encode(record: dict[str, Any]) -> bytes:
    """A sector: checksum, JSON, newline, padding. Raises ValueError when it does not fit."""
    text = json.dumps(record, separators=(",", ":")).encode()
    sector = b"%08x %b\n" % (zlib.crc32(text), text)
    if len(sector) > SECTOR:
        raise ValueError(f"a record of {len(sector)} bytes does not fit a sector of {SECTOR}")
    return sector.ljust(SECTOR, b"\0")


def decode(sector: bytes) -> dict[str, Any] | None:
    """The record of a sector, or None for one that is all zeros. Raises DamagedBlock."""
    content = sector.rstrip(b"\0")
    if not content:
        return None
    checksum, _, text = content.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        raise DamagedBlock("its checksum does not match")
    record: dict[str, Any] = json.loads(text)
    return record
