"""Who this node is: its name, and which boot of it this is."""

import os
from pathlib import Path
from typing import NamedTuple


class Identity(NamedTuple):
    """A node in one of its lives. After a reboot it is another identity: what the old one held, it no longer holds."""

    node: str
    boot_id: str


def identity() -> Identity:
    """This node, now."""
    return Identity(os.uname().nodename, Path("/proc/sys/kernel/random/boot_id").read_text().strip())
