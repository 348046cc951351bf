"""IM database monitoring: what `jimdbstatus` answers (CONTRACT 3.3), on PostgreSQL."""

from bansho.contract.verdicts import Row, Verdict, table

RUNNING = 0
COULD_NOT_FIND_OUT = 1
CHANGING = 4
INTERRUPTED = 8
STOPPED = 12
CONTROLLER_ONLY = 16
NOT_SET_UP = 20

TABLE = table(
    Row(RUNNING, "running", Verdict.HEALTHY, "postmaster ours, accepts connections"),
    Row(COULD_NOT_FIND_OUT, "the command itself ended abnormally", Verdict.RETRY, "could not find out"),
    Row(CHANGING, "start or stop under way", Verdict.RETRY, "starting up, in recovery after a crash, shutting down"),
    Row(
        INTERRUPTED,
        "stopped, restart interrupted, unstable",
        Verdict.FAILOVER,
        "no postmaster; control file says in production, in recovery or shutting down",
    ),
    Row(STOPPED, "stopped normally", Verdict.FAILOVER, "no postmaster; control file says shut down"),
    Row(
        CONTROLLER_ONLY,
        "only the service control program runs",
        Verdict.FAILOVER,
        "our database controller runs, no postmaster does",
    ),
    Row(NOT_SET_UP, "database not set up", Verdict.FAILOVER, "no data directory, or one without a database"),
)
