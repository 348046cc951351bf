"""Long steps that show that they go on: one line each, rewritten on a terminal, plain elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

CLEAR = "\r\x1b[2K"


@contextmanager
def step(title: str) -> Iterator[None]:
    """Shows `title` while the block runs, and how many seconds it took."""
    began = time.monotonic()
    live = sys.stderr.isatty()
    if live:
        print(f"... {title}", end="", file=sys.stderr, flush=True)
    try:
        yield
    except BaseException:
        _end(live, "failed", title, began)
        raise
    _end(live, "done  ", title, began)


def _end(live: bool, outcome: str, title: str, began: float) -> None:
    print(f"{CLEAR if live else ''}{outcome} {title} ({time.monotonic() - began:.1f} s)", file=sys.stderr, flush=True)
