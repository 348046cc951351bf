"""A file system with one file, `held`, whose opening is never answered: who opens it can be ended by nothing.

    python -I -S blocking_fs.py MOUNT-POINT

Says "mounted", and "held" once somebody waits; unmounts when its standard input ends, and then whoever waited is free.
It speaks the kernel's protocol itself (linux/fuse.h, 7.31): requests are a header of 40 bytes and what belongs to it.
"""

import ctypes
import os
import select
import struct
import subprocess
import sys
import time
from pathlib import Path

LOOKUP, FORGET, GETATTR, OPEN, INIT, INTERRUPT = 1, 2, 3, 14, 26, 36
ROOT, HELD = 1, 2
HEADER, ANSWER = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
REQUEST_BYTES = 1 << 18
ENOENT, ENOSYS = 2, 38
DIRECTORY, FILE = 0o040755, 0o100644
VALID = 60
"""Seconds for which the kernel may keep what it was told."""
MNT_DETACH = 2


class Blocking:
    """This program, which has its file system mounted at `point`."""

    def __init__(self, point: Path) -> None:
        self.file = point / "held"
        point.mkdir()
        self.server = subprocess.Popen([sys.executable, "-I", "-S", __file__, point], stdin=-1, stdout=-1, text=True)
        self.expect("mounted")

    def expect(self, word: str) -> None:
        """Waits for what it says."""
        assert self.server.stdout is not None
        assert self.server.stdout.readline() == f"{word}\n"

    def end(self) -> None:
        """Unmounts it: whoever it holds is free."""
        self.server.communicate("")


def attributes(node: int) -> bytes:
    times = (int(time.time()),) * 3
    return struct.pack(
        "<6Q10I",
        node,
        0,
        0,
        *times,
        0,
        0,
        0,
        DIRECTORY if node == ROOT else FILE,
        1,
        os.getuid(),
        os.getgid(),
        0,
        512,
        0,
    )


def answer(opcode: int, node: int, body: bytes) -> bytes | int | None:
    """The answer's content, an error number, or None: there is none."""
    if opcode == INIT:
        return struct.pack("<4I2H2I2H8I", 7, 31, 1 << 16, 0, 1, 1, 1 << 16, 1, 0, 0, *(0,) * 8)
    if opcode == GETATTR:
        return struct.pack("<QII", VALID, 0, 0) + attributes(node)
    if opcode == LOOKUP and body == b"held\0":
        return struct.pack("<4Q2I", HELD, 0, VALID, VALID, 0, 0) + attributes(HELD)
    if opcode == LOOKUP:
        return ENOENT
    if opcode == OPEN:
        print("held", flush=True)
    return None if opcode in {OPEN, FORGET, INTERRUPT} else ENOSYS


def serve(device: int) -> None:
    while True:
        readable, _, _ = select.select([device, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        request = os.read(device, REQUEST_BYTES)
        _, opcode, unique, node, *_ = HEADER.unpack_from(request)
        said = answer(opcode, node, request[HEADER.size :])
        if said is not None:
            content, error = (b"", -said) if isinstance(said, int) else (said, 0)
            os.write(device, ANSWER.pack(ANSWER.size + len(content), error, unique) + content)


def main(point: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode={DIRECTORY & ~0o777:o},user_id={os.getuid()},group_id={os.getgid()}"
    if libc.mount(b"blocking", point.encode(), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), point)
    print("mounted", flush=True)
    try:
        serve(device)
    finally:
        libc.umount2(point.encode(), MNT_DETACH)


if __name__ == "__main__":
    main(sys.argv[1])
