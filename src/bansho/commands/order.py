"""What start and stop have in common: their arguments, and that they return 0 or 1 and nothing else."""

import os
from collections.abc import Callable, Sequence
from typing import Literal

from bansho.commands import arguments
from bansho.commands.arguments import Parser
from bansho.commands.errors import of_system
from bansho.commands.report import Report
from bansho.contract import termination
from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import LogicalHost
from bansho.process import identity, messages
from bansho.process.ordering import Outcome, Tell

Give = Callable[[LogicalHost, str, float, Tell], Outcome]
Say = Callable[[str, str, float, Outcome], str]


def parser(program: str, description: str, epilog: str) -> Parser:
    """The arguments of a start or stop command."""
    result = Parser(program, description, epilog)
    result.add_argument("host", metavar="LOGICAL-HOST", help="the logical host's name")
    result.add_argument(
        "--timeout",
        type=arguments.seconds,
        metavar="SECONDS",
        help="come back after this long (default: the logical host's limit, 60)",
    )
    result.add_argument("--json", action="store_true", help="answer with one JSON object")
    return result


def run(
    suite: str, parser: Parser, given: Sequence[str], which: Literal["start", "stop"], give: Give, say: Say
) -> None:
    """Gives the order and ends the command with 0; with 1 only for an argument error."""
    options = arguments.parse(parser, termination.ARGUMENT_ERROR, given)
    try:
        host = arguments.logical_host(options.host, suite)
    except BanshoError as error:
        arguments.fail(error, termination.ARGUMENT_ERROR)
    limit = options.timeout or getattr(host.limits, which)
    report = Report(as_json=options.json)
    try:
        outcome = give(
            host, suite, max(0.0, limit - _spent()), lambda line: report.message(messages.PROGRESS(what=line))
        )
    except (BanshoError, OSError) as error:
        refusal = of_system(error) if isinstance(error, OSError) else error
        report.message(refusal)
        report.finish(termination.NORMAL, host=host.name, suite=suite, refused=str(refusal))
    report.message(say(host.name, suite, limit, outcome))
    facts = {"status": outcome.value, "outstanding": outcome.outstanding, "in_time": outcome.in_time}
    report.finish(termination.NORMAL, outcome.text, host=host.name, suite=suite, **facts)


def _spent() -> float:
    """Seconds since the caller started this command: on a busy node an interpreter needs a while to come up."""
    me = identity.stat(os.getpid())
    return identity.age(me) if me else 0.0
