"""Event service monitoring: what `jevstat` answers, and what `jevsend` returns (CONTRACT 3)."""

from bansho.contract.verdicts import Row, Verdict, table

ALL_RUNNING = 0
COMMAND_ERROR = 1
PARTLY_RUNNING = 4
STOPPED = 8
SERVICE_ERROR = 12

TABLE = table(
    Row(ALL_RUNNING, "all running", Verdict.HEALTHY, "the event service answers and takes events in"),
    Row(COMMAND_ERROR, "error", Verdict.FAILURE, "argument error, or the command could not find out in time"),
    Row(PARTLY_RUNNING, "partly running", Verdict.FAILURE, "the event service answers but cannot take events in"),
    Row(STOPPED, "stopped", Verdict.NOT_RUNNING, "nothing listens at the event service's address"),
    Row(SERVICE_ERROR, "the service answered with an error", Verdict.FAILURE, "the answer was an error"),
)

REGISTERED = 0
NOT_REGISTERED = 255
