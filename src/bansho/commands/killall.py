"""`jbs_killall.cluster`, `jco_killall.cluster`: forced termination (CONTRACT 3.4)."""

import sys
from functools import partial

from bansho.commands import arguments
from bansho.commands.arguments import Parser
from bansho.commands.report import Report
from bansho.contract import termination
from bansho.contract.messages import BanshoError
from bansho.contract.suites import COMMANDS
from bansho.process import killing, messages, priority

DESCRIPTION = "End every process of {suite} on a logical host at once, without termination processing."
EPILOG = """\
It is meant for after {stop}. It works when the process manager is dead, hangs or is half started.
return values:
   0  nothing of the suite is left
   1  argument error, or something survived: stderr names it"""


def main() -> None:
    """Runs the command for the suite in `sys.argv[1]`."""
    suite = sys.argv[1]
    names = COMMANDS[suite]
    parser = Parser(names.killall, DESCRIPTION.format(suite=suite), EPILOG.format(stop=names.stop))
    parser.add_argument("host", metavar="LOGICAL-HOST", help="the logical host's name")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    options = arguments.parse(parser, termination.SOMETHING_LEFT, sys.argv[2:])
    report = Report(as_json=options.json)
    try:
        host = arguments.logical_host(options.host, suite)
        priority.rise(priority.TERMINATION)
        lingering = partial(messages.LINGERING, suite=suite, host=host.name)
        left = killing.kill(host, suite, lambda each: report.message(lingering(**each._asdict())))
    except (BanshoError, OSError) as error:
        arguments.fail(error, termination.SOMETHING_LEFT)
    for survivor in left.survivors:
        report.message(messages.SURVIVED(suite=suite, host=host.name, **survivor._asdict()))
    for holder in left.holders:
        report.message(messages.HOLDER(suite=suite, **holder._asdict()))
    if left.lease_kept:
        report.message(messages.LEASE_KEPT(host=host.name, reason=left.lease_kept))
    value = termination.SOMETHING_LEFT if left.survivors else termination.NOTHING_LEFT
    line = f"{suite} on {host.name}: " + ("something survived" if left.survivors else "nothing is left")
    facts = {name: [each._asdict() for each in getattr(left, name)] for name in ("survivors", "holders")}
    report.finish(value, line, host=host.name, suite=suite, **facts)
