"""IM database monitoring where it takes more than a fresh record: what `status` hands over (CONTRACT 3.3)."""

import sys
from typing import NoReturn

from bansho.commands import arguments
from bansho.commands.report import Report
from bansho.contract import imdatabase, limits
from bansho.contract.messages import BanshoError
from bansho.database.errors import NotObservable
from bansho.database.state import State
from bansho.logicalhost.definition import LogicalHost
from bansho.process import bounded

SLACK = 0.3
"""Seconds of the limit in which the command itself begins and ends."""


def main() -> NoReturn:
    """Runs the command with `sys.argv[2:]`; ends with a value of CONTRACT 3.3, of which 1 is for wrong ones too."""
    given = arguments.parse(_parser(), imdatabase.COULD_NOT_FIND_OUT, sys.argv[2:])
    try:
        host = arguments.logical_host(given.h, "manager")
    except BanshoError as error:
        arguments.fail(error, imdatabase.COULD_NOT_FIND_OUT)
    state = _state(host, given.t)
    report = Report(as_json=given.json)
    if state.value == imdatabase.COULD_NOT_FIND_OUT:
        report.message(state.reason)
    report.finish(state.value, state.line(host.name), **state.facts(host.name))


def _parser() -> arguments.Parser:
    rows = "\n".join(f"  {row.value:>3}  {row.meaning}: {row.when}" for row in imdatabase.TABLE.values())
    parser = arguments.Parser("jimdbstatus", "Says whether the IM database runs.", f"values:\n{rows}")
    parser.add_argument("-h", metavar="HOST", help="the logical host; else JP1_HOSTNAME, else the physical host")
    parser.add_argument(
        "-t", metavar="SECONDS", type=arguments.whole_seconds, default=limits.STATUS, help="for the whole command (60)"
    )
    parser.add_argument("--json", action="store_true", help="the answer as one JSON object")
    return parser


def _state(host: LogicalHost, limit: int) -> State:
    """The state, or why it could not be found out. A disk that hangs does not keep us waiting."""
    observing = max(limit - SLACK, 0)
    try:
        return State(*bounded.ask(lambda: _observe(host, observing), observing))
    except bounded.Refused as refusal:
        return State(imdatabase.COULD_NOT_FIND_OUT, str(refusal))
    except bounded.Silent:
        silence = NotObservable(what=host.shared.database, reason=f"no answer within {limit} s")
        return State(imdatabase.COULD_NOT_FIND_OUT, str(silence))


def _observe(host: LogicalHost, limit: float) -> State:
    from bansho.database.observe import observe

    return observe(host, limit)
