"""Operation monitoring where it takes more than a fresh record: what `status` hands over (CONTRACT 3.2)."""

import sys

from bansho.commands import arguments
from bansho.commands.arguments import Parser
from bansho.commands.report import Report
from bansho.contract import limits, operation
from bansho.contract.messages import BanshoError
from bansho.contract.suites import COMMANDS
from bansho.process import observation, record
from bansho.process.observation import Answer

DESCRIPTION = "Say whether {suite} runs on a logical host."
EPILOG = "return values:\n" + "\n".join(
    f"  {row.value:2}  {row.meaning}: {row.when}" for row in operation.TABLE.values()
)


def main() -> None:
    """Runs the command for the suite in `sys.argv[1]`."""
    suite = sys.argv[1]
    options = arguments.parse(parser(suite), operation.UNRECOVERABLE, sys.argv[2:])
    try:
        host = arguments.logical_host(options.h, suite)
    except BanshoError as error:
        arguments.fail(error, operation.UNRECOVERABLE)
    answer = observation.observe(host, suite, options.t)
    facts = {"host": host.name, "suite": suite, "value": answer.value, "meaning": operation.TABLE[answer.value].meaning}
    Report(as_json=options.json).finish(answer.value, answer.text, **facts, **_details(answer))


def parser(suite: str) -> Parser:
    """The command's arguments."""
    result = Parser(COMMANDS[suite].status, DESCRIPTION.format(suite=suite), EPILOG)
    result.add_argument("-h", metavar="LOGICAL-HOST", help="default: JP1_HOSTNAME, else the physical host")
    result.add_argument(
        "-t",
        type=arguments.whole_seconds,
        default=limits.STATUS,
        metavar="SECONDS",
        help="answer within this time, 0 to 32767 (default 60); 0: without waiting for anything",
    )
    result.add_argument("--json", action="store_true", help="answer with one JSON object")
    return result


def _details(answer: Answer) -> dict[str, object]:
    """What the record says of the services, where it was believed and says it in JSON."""
    try:
        document = record.details(answer.record) if answer.record else {}
    except record.Damage:
        document = {}
    return {name: document[name] for name in ("aim", "epoch", "node", "since", "services") if name in document}
