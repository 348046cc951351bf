"""A service for tests: does what its arguments say, in their order. Runs as a script with `python -I -S`.

ready, status=TEXT, stopping, sleep=SECONDS, exit=STATUS, wait (for ever), beat=SECONDS (as long as it lives);
flood=TEXT (a child that sends it as fast as it can, with a number for each #);
gate=FIFO (waits until it is written); ignore-term, term=STATUS (how it ends on SIGTERM), term-gate=FIFO (waits before
that); hold=FILE, term-hold=FILE (the same, for as long as somebody has that file locked); trace=FILE (adds "NAME WORD"
lines of its life); escapee=WAY+WAY... (a child that leaves by: stay, setsid, orphan, cleared, renamed, ignore, forking,
stopped, traced); bomb=PROCESSES (forks, each of them too, until there are so many); relay=FIFO (tells the process
manager what is written there, a message a line in hexadecimal digits, and hands it a descriptor each time)
"""

import contextlib
import ctypes
import itertools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from fcntl import LOCK_SH, flock
from functools import partial
from pathlib import Path

FORKING_LIMIT = 20.0
"""Seconds: what a broken forced termination leaves must not burn the machine for ever."""
NAME = os.environ.get("BANSHO_SERVICE", "?")
PTRACE_TRACEME = 0
WAYS = {
    "stayed": "stay",
    "left the session": "setsid",
    "left the parent": "orphan",
    "left both": "setsid+orphan",
    "cleared its environment": "cleared",
    "left everything": "setsid+orphan+cleared+renamed",
    "ignores SIGTERM": "setsid+orphan+ignore",
    "is stopped": "setsid+orphan+stopped",
    "is traced": "setsid+orphan+traced",
    "forks all the time": "forking",
    "forks all the time, out of sight": "setsid+orphan+cleared+forking",
}
"""How a service's child may flee."""
SEVERAL = [f"escapee={way}" for way in WAYS.values()]
TWO_HUNDRED = [f"escapee={way}" for way in WAYS.values() for _ in range(2 if "forking" in way else 22)]
"""Acts: a child each by every way, 200 of them, and those that trace the traced ones."""


def notify(line: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(line.encode(), os.environ["NOTIFY_SOCKET"])


def relay(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, Path(path).open() as lines:
        sender.connect(os.environ["NOTIFY_SOCKET"])
        for line in lines:
            socket.send_fds(sender, [bytes.fromhex(line)], [0])


def beat(seconds: float) -> None:
    while True:
        notify("WATCHDOG=1")
        time.sleep(seconds)


def flood(text: str) -> None:
    """Until nobody listens any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, contextlib.suppress(ConnectionError):
        sender.connect(os.environ["NOTIFY_SOCKET"])
        for number in itertools.count():
            sender.send(text.replace("#", str(number)).encode())
    os._exit(0)


def trace(path: str, word: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{NAME} {word}\n")


def on_term(path: str, status: int, hold: Callable[[], None]) -> None:
    def end(signum: int, frame: object) -> None:
        hold()
        if path:
            trace(path, "stop")
        os._exit(status)

    signal.signal(signal.SIGTERM, end)


def read(path: str) -> None:
    Path(path).read_text()


def pass_through(path: str) -> None:
    with Path(path).open() as file:
        flock(file, LOCK_SH)


def linger() -> None:
    while True:
        signal.pause()


def flee(ways: set[str]) -> None:
    """In a child: leaves by every way asked for, and stays."""
    if "setsid" in ways:
        os.setsid()
    if "orphan" in ways and os.fork():
        os._exit(0)
    if "ignore" in ways:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "cleared" in ways:
        rest = "+".join(ways & {"renamed", "forking", "ignore", "stopped", "traced"})
        os.execve(sys.executable, [sys.executable, "-I", "-S", __file__, f"settle={rest}"], {})
    settle(ways)


def settle(ways: set[str]) -> None:
    if "renamed" in ways:
        ctypes.CDLL(None).prctl(15, b"innocent", 0, 0, 0)
    if "ignore" in ways:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "traced" in ways and os.fork() == 0:
        ctypes.CDLL(None).ptrace(PTRACE_TRACEME, 0, 0, 0)
        ways |= {"stopped"}
    if "stopped" in ways:
        os.kill(os.getpid(), signal.SIGSTOP)
    until = time.monotonic() + FORKING_LIMIT
    while "forking" in ways and time.monotonic() < until:
        if os.fork():
            time.sleep(0.005)
            os._exit(0)
    if "forking" not in ways:
        linger()
    os._exit(0)


def bomb(processes: int) -> None:
    """Forks as fast as it can, and so does each child; a byte in a pipe stands for each that may still be made."""
    reader, writer = os.pipe()
    os.write(writer, bytes(processes))
    os.set_blocking(reader, False)
    with contextlib.suppress(BlockingIOError):
        while os.read(reader, 1):
            os.fork()


class Actor:
    """One method a word of the argument list; `_` stands for `-`."""

    def __init__(self) -> None:
        self.path, self.ending = "", 0
        self.before_its_end: Callable[[], None] = lambda: None

    def trace(self, path: str) -> None:
        self.path = path
        trace(path, "start")

    def term(self, status: str) -> None:
        self.ending = int(status)

    def term_gate(self, path: str) -> None:
        self.before_its_end = partial(read, path)

    def term_hold(self, path: str) -> None:
        self.before_its_end = partial(pass_through, path)

    def ready(self, _: str) -> None:
        on_term(self.path, self.ending, self.before_its_end)
        if self.path:
            trace(self.path, "ready")
        notify("READY=1")

    def wait(self, _: str) -> None:
        linger()

    def status(self, text: str) -> None:
        notify(f"STATUS={text}")

    def stopping(self, _: str) -> None:
        notify("STOPPING=1")

    def sleep(self, seconds: str) -> None:
        time.sleep(float(seconds))

    def exit(self, status: str) -> None:
        os._exit(int(status))

    def beat(self, seconds: str) -> None:
        threading.Thread(target=beat, args=[float(seconds)], daemon=True).start()

    def flood(self, text: str) -> None:
        if os.fork() == 0:
            flood(text)

    def gate(self, path: str) -> None:
        read(path)

    def hold(self, path: str) -> None:
        pass_through(path)

    def relay(self, path: str) -> None:
        relay(path)

    def ignore_term(self, _: str) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def escapee(self, ways: str) -> None:
        if os.fork() == 0:
            flee(set(ways.split("+")))

    def bomb(self, processes: str) -> None:
        bomb(int(processes))

    def settle(self, ways: str) -> None:
        settle(set(ways.split("+")))


if __name__ == "__main__":
    actor = Actor()
    for argument in sys.argv[1:]:
        verb, _, value = argument.partition("=")
        getattr(actor, verb.replace("-", "_"))(value)
