"""The agent's own time limit, and in which step it is."""

import time

from bansho.cluster.errors import OutOfTime


class Deadline:
    """Counts down from `limit` seconds by the monotonic clock and remembers the step under way."""

    def __init__(self, limit: float, *, spent: float = 0.0, step: str = "beginning", **facts: str) -> None:
        """`spent` seconds are gone already, on `step`. `facts` are what `OutOfTime` names: action, suite, host."""
        self.limit = limit
        self.facts = facts
        self.last = ""
        """What was learnt last, for the report of an overrun."""
        self._step, self._since = step, time.monotonic() - spent
        self._end = self._since + limit

    def enter(self, step: str) -> None:
        """A step begins."""
        self._step, self._since = step, time.monotonic()

    def left(self) -> float:
        """Seconds left, above 0. Raises OutOfTime."""
        now = time.monotonic()
        if now >= self._end:
            last = f"; last: {self.last}" if self.last else ""
            raise OutOfTime(limit=self.limit, step=self._step, since=now - self._since, last=last, **self.facts)
        return self._end - now

    def pause(self, seconds: float) -> None:
        """Waits, at most until the end. Raises OutOfTime."""
        time.sleep(min(seconds, self.left()))
        self.left()
