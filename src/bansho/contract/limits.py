"""Time limits in seconds, where a definition names none (CONTRACT 3.1, 3.2 and 4)."""

START = 60.0
STOP = 60.0
SERVICE_START = 60.0
SERVICE_STOP = 10.0
STATUS = 60
STATUS_MAXIMUM = 32767
RETURN_SLACK = 1.0
"""Start and stop return no later than their limit plus this, whatever hangs."""

BEAT = 1.0
"""The process manager rewrites its status record at least this often."""
STALE_BEATS = 2
"""A record older than this many beats is stale: the status is 12."""
LOST_BEATS = 10
"""A record older than this many beats is lost for good: the status is 1."""

NAME_BYTES = 63
"""The longest name of a logical host."""

LEASE_BEAT = 0.5
"""The owner of a shared directory beats its lease this often."""
LEASE_LOST = 1.5
"""A lease whose beat stood still for this long has no living owner. Watched, never computed from two clocks alone."""
LEASE_SETTLE = 0.2
"""A claim counts once it still stands this long after it was written."""
LEASE_STALLED = 5.0
"""A keeper that could not beat for this long reports the shared directory as not available."""
