"""Whether those who look at a round all the time really did: an invariant that nobody watched was not kept."""

from bansho.drill.errors import Blind, NotReached
from bansho.drill.stage import wait
from bansho.lab.watch import Watch

STILL = 10.0
"""Seconds without a look that are too many: who looks reads /proc alone, and does so several times a second."""


def require(watch: Watch) -> None:
    """Of a watch that is open: it goes on looking, and never stood still. Raises Blind."""
    looked = watch.samples
    try:
        wait("the watch to look", lambda: watch.samples > looked, STILL)
    except NotReached:
        raise Blind(observer="the watch of disk and address", what=f"has ended after {looked} looks") from None
    awake(watch.longest_pause, "the watch of disk and address")


def awake(longest_pause: float, observer: str) -> None:
    """Raises Blind where it stood still for too long."""
    if longest_pause > STILL:
        raise Blind(observer=observer, what=f"stood still for {longest_pause:.1f} s")
