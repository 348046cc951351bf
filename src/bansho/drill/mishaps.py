"""What goes wrong with the drill itself: it is a round's finding, with its traceback, and never the campaign's end."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bansho.contract.messages import BanshoError

T = TypeVar("T")


def told(problem: Exception) -> str:
    """A message of ours as it is; anything else with its class, which often is all that it says."""
    return str(problem) if isinstance(problem, BanshoError) else f"{type(problem).__name__}: {problem}"


class Mishaps:
    """The exceptions that were noted, in their order; as text, one line."""

    def __init__(self) -> None:
        self._found: list[Exception] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        return "; ".join(map(told, self._found)).replace("\n", " ")

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Whatever the block raises ends that block alone, and is noted; an interruption passes."""
        try:
            yield
        except Exception as problem:
            self._found.append(problem)

    def read(self, reading: Callable[[], T], otherwise: T) -> T:
        """What is read, or `otherwise` where it cannot be, which is noted."""
        with self.noted():
            return reading()
        return otherwise

    @property
    def tracebacks(self) -> str:
        """Where each came from."""
        return "\n".join("".join(traceback.format_exception(each)) for each in self._found)
