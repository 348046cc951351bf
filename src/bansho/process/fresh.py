"""What a fresh status record says, by the rules of the front in sh, which may look at a lock instead of a start time.

Any doubt is `observation`'s.

It imports only what every interpreter has loaded or built in, and so costs little more than a bare one.
"""

import posix
import time

TAG = "bansho-record"
VERSION = "1"
VALUES = frozenset({"0", "1", "4", "12"})
"""A living process manager never says 8: it is a process of the suite itself."""
DIGITS = 15
"""More of them no number in a record has."""
BYTES = 1 << 20
ENDED = frozenset("ZXx")
"""States of a process that has ended and only waits to be collected."""

Fields = tuple[int, str, int, int, int, str, str]
"""Value, boot id, pid, start ticks, until when it is fresh, text, document: a record's members in their order."""


class Damage(ValueError):
    """Raised when a text is not a status record."""


def fields(text: str) -> Fields:
    """What stands in a record's text. Raises Damage.

    The document is whatever follows the second line: the reader in sh does not get so far either.
    """
    lines = text.split("\n", 2)
    if len(lines) != 3:
        raise Damage("expected two lines and the details")
    head = lines[0].split(" ")
    if len(head) != 7 or head[:2] != [TAG, VERSION] or not all(head) or head[2] not in VALUES:
        raise Damage("its first line is not a record's")
    if not all(part.isascii() and part.isdigit() and len(part) <= DIGITS for part in head[4:]):
        raise Damage("its numbers are none")
    return int(head[2]), head[3], int(head[4]), int(head[5]), int(head[6]), lines[1], lines[2].removesuffix("\n")


def now() -> int:
    """CLOCK_BOOTTIME in hundredths of a second, as `/proc/uptime` has it."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 100)


def content(path: str, limit: int) -> bytes:
    """The file's first `limit` bytes, as far as they come at once; a third of the price of `open`. Raises OSError.

    What a service's user may have put in a file's place, a link or a pipe, is not followed and not waited for.
    """
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK)
    try:
        return posix.read(descriptor, limit)
    finally:
        posix.close(descriptor)


def read(path: str) -> Fields | None:
    """The record at `path` if it is fresh and its process manager lives; None in any doubt."""
    try:
        found = fields(content(path, BYTES).decode("utf-8", "surrogateescape"))
        boot_id = content("/proc/sys/kernel/random/boot_id", 64).decode().strip()
        process = content(f"/proc/{found[2]}/stat", 4096).decode(errors="replace").rpartition(") ")[2].split()
    except (OSError, ValueError):
        return None
    lives = len(process) > 19 and process[0] not in ENDED and process[19] == str(found[3])
    return found if lives and found[1] == boot_id and now() <= found[4] else None
