"""`jbs_spmd_reload`, `jco_spmd_reload`: have the process definition read again (CONTRACT 3)."""

import sys

from bansho.commands import arguments
from bansho.commands.arguments import Parser
from bansho.commands.report import Report
from bansho.contract import termination
from bansho.contract.messages import BanshoError
from bansho.contract.suites import COMMANDS
from bansho.process import messages, ordering
from bansho.process.reloading import AT_ONCE

DESCRIPTION = "Have the process manager of {suite} read the process definition again."
EPILOG = """\
It is checked first: a mistake changes nothing. New services start and dropped ones stop; what else changed, of which
service, and whether it counts at once or from the service's next start on, stands on stderr, a line each.
return values: 0 read again; 1 argument error, nothing to ask, or a definition with a mistake, which changes nothing"""


def main() -> None:
    """Runs the command for the suite in `sys.argv[1]`."""
    suite = sys.argv[1]
    parser = Parser(COMMANDS[suite].reload, DESCRIPTION.format(suite=suite), EPILOG)
    parser.add_argument("-h", metavar="LOGICAL-HOST", help="default: JP1_HOSTNAME, else the physical host")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    options = arguments.parse(parser, termination.ARGUMENT_ERROR, sys.argv[2:])
    try:
        host = arguments.logical_host(options.h, suite)
        text, changes = ordering.reload(host, suite)
    except (BanshoError, OSError) as error:
        arguments.fail(error, termination.ARGUMENT_ERROR)
    report = Report(as_json=options.json)
    facts = {"suite": suite, "host": host.name}
    for change in changes:
        message = messages.CHANGED if change.applied == AT_ONCE else messages.CHANGES_LATER
        report.message(message(**facts, what=change))
    if not changes:
        report.message(messages.UNCHANGED(**facts))
    report.message(messages.RELOADED(**facts, text=text))
    report.finish(termination.NORMAL, text, **facts, changes=[change._asdict() for change in changes])
