"""`jbs_start.cluster`, `jco_start.cluster`: start a suite (CONTRACT 3.1)."""

import sys

from bansho.process import spawning

TYPE_CHECKING = False  # not typing's, which would cost as much as the interpreter itself
if TYPE_CHECKING:
    from bansho.process.ordering import Outcome

DESCRIPTION = "Start {suite} on a logical host, or join the start that is under way."
EPILOG = """\
It comes back when the suite is up, or when the time has passed; the start then goes on. The return value is 0 in both
cases, and also when the start was refused (the message says why): only {status} decides.
It is 1 for an argument error."""


def main() -> None:
    """Runs the command for the suite in `sys.argv[1]`."""
    suite, arguments = sys.argv[1], sys.argv[2:]
    begun = spawning.begin(suite, arguments)
    from functools import partial

    from bansho.commands import order
    from bansho.contract.suites import COMMANDS
    from bansho.process import ordering

    names = COMMANDS[suite]
    parser = order.parser(names.start, DESCRIPTION.format(suite=suite), EPILOG.format(status=names.status))
    order.run(suite, parser, arguments, "start", partial(ordering.start, begun=begun), said)


def said(host: str, suite: str, limit: float, outcome: "Outcome") -> str:
    """The closing message of a start."""
    from bansho.contract import operation
    from bansho.process import messages

    if not outcome.in_time:
        return messages.START_UNDER_WAY(suite=suite, host=host, limit=limit, what="; ".join(outcome.outstanding))
    complete = outcome.value == operation.ALL_RUNNING
    message = messages.START_SETTLED if complete else messages.START_INCOMPLETE
    return message(suite=suite, host=host, text=outcome.text)
