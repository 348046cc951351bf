"""Each cluster product's return values: where a finding of ours becomes a number of theirs, and nowhere else.

Findings are ours (CONTRACT 3.5), numbers are the product's. What a number does there, and where that is documented,
is in the product's README. Pacemaker's are `agent.decide.Outcome` and the `code` of each `AgentError`.
"""

from collections.abc import Mapping
from enum import Enum


class Finding(Enum):
    """What an action has come to."""

    DONE = "done"
    """Start, stop, forced termination: with proof."""
    NOT_DONE = "not done"
    HEALTHY = "healthy"
    """Monitoring, from here on."""
    NOT_RUNNING = "not running"
    """All stopped; so also on a standby server, whose shared directory is offline."""
    FAILED = "failed"
    """A failure, or an answer that still said nothing after the specified retries."""
    CANNOT_TELL = "cannot tell"
    """Nobody could be asked: the definition is wrong, or a command is not on this node."""


Convention = Mapping[Finding, int]


def _values(
    done: int = 0, not_done: int = 1, healthy: int = 0, not_running: int = 1, failed: int = 1, cannot_tell: int = 1
) -> Convention:
    return dict(zip(Finding, (done, not_done, healthy, not_running, failed, cannot_tell), strict=True))


CONVENTIONS: Mapping[str, Convention] = {
    "posix": _values(),
    "keepalived": _values(),
    # A failure is "offline": VCS then cleans and restarts, where "unknown" (99) would have it do nothing.
    "vcs": _values(healthy=110, not_running=100, failed=100, cannot_tell=99),
    "hamonitor": _values(),
    "serviceguard": _values(),
    "powerha": _values(),
    # 100 is a complete failure. Half of one counts only when it repeats: not to know is no proof of a failure.
    "solaris": _values(not_running=100, failed=100, cannot_tell=50),
    "systemd": _values(),
}
"""Product -> its return values."""
