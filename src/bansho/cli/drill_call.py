"""What the calls of `bansho drill` have in common: numbers, wrong usage, and being interrupted."""

import math
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from bansho.drill.errors import ReportExists, UnfitFault, UnknownFault

WRONG_USAGE = 2
MOST = 10_000.0
"""Of anything a second, hours, or loops: above it is a slip of the finger."""


class Figure(click.FloatRange):
    """A number from `least` on, or above it; `nan`, which no range refuses, is none."""

    def __init__(self, least: float = 0.0, *, open_: bool = False) -> None:
        super().__init__(least, MOST, min_open=open_)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a valid float.", param, ctx)
        return number


RATE = Figure(open_=True)
"""A sender's, in items a second: without any there is nothing to judge."""


@contextmanager
def wrong_usage() -> Iterator[None]:
    """A choice of faults or a folder that cannot be: said, with the exit code of wrong usage."""
    try:
        yield
    except (UnknownFault, UnfitFault, ReportExists) as wrong:
        click.echo(wrong, err=True)
        sys.exit(WRONG_USAGE)


@contextmanager
def until_interrupted(said: str) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end what is inside, which takes itself down; then this is said, with exit code 1."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{said}", err=True)
        sys.exit(1)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
