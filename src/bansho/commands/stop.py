"""`jbs_stop.cluster`, `jco_stop.cluster`: stop a suite (CONTRACT 3.1)."""

import sys

from bansho.commands import order
from bansho.contract.suites import COMMANDS
from bansho.process import messages, ordering
from bansho.process.ordering import Outcome

DESCRIPTION = "Stop {suite} on a logical host, service by service, in reverse order."
EPILOG = """\
It comes back when everything has ended, or when the time has passed; the stop then goes on. The return value is 0 in
both cases: only {status} decides, and {killall} ends what will not end.
It is 1 for an argument error."""


def main() -> None:
    """Runs the command for the suite in `sys.argv[1]`."""
    suite, arguments = sys.argv[1], sys.argv[2:]
    names = COMMANDS[suite]
    epilog = EPILOG.format(status=names.status, killall=names.killall)
    parser = order.parser(names.stop, DESCRIPTION.format(suite=suite), epilog)
    order.run(suite, parser, arguments, "stop", ordering.stop, said)


def said(host: str, suite: str, limit: float, outcome: Outcome) -> str:
    """The closing message of a stop."""
    if outcome.in_time:
        return messages.STOP_SETTLED(suite=suite, host=host)
    return messages.STOP_UNDER_WAY(suite=suite, host=host, limit=limit, what="; ".join(outcome.outstanding))
