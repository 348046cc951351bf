"""The arguments of the contract's commands. A mistake is one line and the command's own value, never a traceback."""

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from bansho.commands.errors import UnknownSuite, WrongArguments, of_system
from bansho.commands.report import Report
from bansho.contract import limits
from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost


class Parser(argparse.ArgumentParser):
    """An argument parser with `--help` (the contract gives `-h` to the logical host) and no abbreviations."""

    def __init__(self, program: str, description: str, epilog: str = "") -> None:
        super().__init__(
            program,
            description=description,
            epilog=epilog,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_argument("--help", action="help", help="show this and end")

    def error(self, message: str) -> NoReturn:
        """Raises WrongArguments."""
        raise WrongArguments(program=self.prog, problem=message)


def parse(parser: Parser, value: int, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The parsed arguments, of `sys.argv` where none are given; a mistake ends the command with `value`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the command, quietly; the work goes on
    try:
        return parser.parse_args(arguments)
    except BanshoError as error:
        fail(error, value)


def fail(error: BanshoError | OSError, value: int) -> NoReturn:
    """Ends the command with the error's line on stderr (and in the object that `--json` asks for) and `value`."""
    report = Report(as_json="--json" in sys.argv)
    report.message(of_system(error) if isinstance(error, OSError) else error)
    report.finish(value)


def logical_host(option: str | None, suite: str) -> LogicalHost:
    """The logical host of `-h`, of `JP1_HOSTNAME`, or the physical one, which runs `suite`.

    Raises BadName, UnknownLogicalHost, UnreadableDefinition, MalformedDefinition or UnknownSuite.
    """
    host = definition.load(definition.chosen_name(option))
    if suite not in host.suites:
        raise UnknownSuite(name=host.name, suite=suite, path=definition.path_of(host.name))
    return host


def whole_seconds(text: str) -> int:
    """`-t`: 0 to 32767 seconds (given). Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > limits.STATUS_MAXIMUM:
        raise argparse.ArgumentTypeError(f"expected 0 to {limits.STATUS_MAXIMUM} whole seconds, got {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """`--timeout`: above 0 and at most 32767 seconds. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= limits.STATUS_MAXIMUM:
        raise argparse.ArgumentTypeError(
            f"expected more than 0 and at most {limits.STATUS_MAXIMUM} seconds, got {text!r}"
        )
    return number
