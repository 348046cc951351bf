"""`jbs_spmd_reload`, `jco_spmd_reload`: have the process definition read again (CONTRACT 3)."""

import sys

from bansho.commands import arguments
from bansho.commands.arguments import Parser
from bansho.commands.report import Report
from bansho.contract import termination
from bansho.contract.messages import BanshoError
from bansho.contract.suites import COMMANDS
from bansho.process import messages, ordering

DESCRIPTION = "Have the process manager of {suite} read the process definition again."
EPILOG = """\
New services start, dropped ones stop; a service whose lines changed goes by them from its next start on.
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
        text = ordering.reload(host, suite)
    except (BanshoError, OSError) as error:
        arguments.fail(error, termination.ARGUMENT_ERROR)
    report = Report(as_json=options.json)
    report.message(messages.RELOADED(suite=suite, host=host.name, text=text))
    report.finish(termination.NORMAL, host=host.name, suite=suite)
