"""Our two suites and the names that the contract gives their commands (CONTRACT 3)."""

from typing import NamedTuple


class SuiteCommands(NamedTuple):
    """The commands of one suite, by what they do."""

    start: str
    stop: str
    status: str
    killall: str
    reload: str


def _commands(prefix: str) -> SuiteCommands:
    return SuiteCommands(
        f"{prefix}_start.cluster",
        f"{prefix}_stop.cluster",
        f"{prefix}_spmd_status",
        f"{prefix}_killall.cluster",
        f"{prefix}_spmd_reload",
    )


COMMANDS = {"base": _commands("jbs"), "manager": _commands("jco")}
"""Suite -> its commands, in start order."""
DATABASE_STATUS = "jimdbstatus"
EVENT_STATUS = "jevstat"
