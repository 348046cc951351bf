"""Gives a command again and again at a steady pace: `python -m bansho.drill.calls COUNT SECONDS AT-ONCE COMMAND...`.

Call N is due N / COUNT of the way; one that is late is made at once. At most AT-ONCE run at a time, and after SECONDS
none is begun. Each answer is a line on stdout, `AT VALUE TOOK`: wall clock, return value, seconds.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple


class Answer(NamedTuple):
    """One call."""

    at: float
    value: int
    took: float


def answers(lines: Iterable[str]) -> list[Answer]:
    """What was printed so far."""
    return [Answer(float(at), int(value), float(took)) for at, value, took in (line.split() for line in lines)]


def due(wanted: int, lasting: float, began: float) -> Iterator[float]:
    """When each call is due, on the clock of `began`. Pure."""
    return (began + number * lasting / wanted for number in count())


def give(wanted: int, lasting: float, at_once: int, command: Sequence[str]) -> None:
    """Makes the calls."""
    began, lock = time.monotonic(), threading.Lock()
    moments = iter([moment for _, moment in zip(range(wanted), due(wanted, lasting, began), strict=False)])
    over = threading.Event()

    def work() -> None:
        while True:
            with lock:
                moment = next(moments, None)
            if moment is None or time.monotonic() > began + lasting:
                return
            over.wait(max(0.0, moment - time.monotonic()))
            _call(command, lock)

    workers = [threading.Thread(target=work) for _ in range(at_once)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _call(command: Sequence[str], lock: threading.Lock) -> None:
    began = time.monotonic()
    value = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    took = time.monotonic() - began
    with lock:
        print(f"{time.time():.3f} {value} {took:.4f}", flush=True)


if __name__ == "__main__":
    wanted, lasting, at_once, *command = sys.argv[1:]
    give(int(wanted), float(lasting), int(at_once), command)
