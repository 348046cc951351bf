"""Operation monitoring: what `jco_spmd_status` and `jbs_spmd_status` answer (CONTRACT 3.2)."""

from bansho.contract.verdicts import Row, Verdict, table

ALL_RUNNING = 0
UNRECOVERABLE = 1
PARTLY_STOPPED = 4
ALL_STOPPED = 8
RETRY = 12

TABLE = table(
    Row(ALL_RUNNING, "all running", Verdict.HEALTHY, "every required service is ready and beats"),
    Row(
        UNRECOVERABLE,
        "unrecoverable error",
        Verdict.FAILURE,
        "argument error; shared directory not available (always so on a standby server);"
        " process manager's record damaged or its beat lost for good",
    ),
    Row(
        PARTLY_STOPPED,
        "partially stopped",
        Verdict.FAILURE,
        "at least one required service is not running, at least one is;"
        " or the process manager is dead and services of its live",
    ),
    Row(ALL_STOPPED, "all stopped", Verdict.NOT_RUNNING, "no service and no process manager of the suite runs"),
    Row(
        RETRY,
        "recoverable by retrying",
        Verdict.RETRY,
        "start or stop under way within its limits; record momentarily stale; a time-out of this command",
    ),
)
