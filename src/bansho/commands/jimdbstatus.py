"""`jimdbstatus`: IM database monitoring (CONTRACT 3.3)."""

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
    """Ends with a value of CONTRACT 3.3; 1 also stands for wrong arguments."""
    given = arguments.parse(_parser(), imdatabase.COULD_NOT_FIND_OUT)
    try:
        host = arguments.logical_host(given.h, "manager")
    except BanshoError as error:
        arguments.fail(error, imdatabase.COULD_NOT_FIND_OUT)
    value, reason = _state(host, given.t)
    meaning = imdatabase.TABLE[value].meaning
    report = Report(as_json=given.json)
    if value == imdatabase.COULD_NOT_FIND_OUT:
        report.message(reason)
    text = f"IM database of {host.name}: {meaning}" + f" ({reason})" * (value != imdatabase.COULD_NOT_FIND_OUT)
    report.finish(value, text, host=host.name, value=value, meaning=meaning, reason=reason)


def _parser() -> arguments.Parser:
    rows = "\n".join(f"  {row.value:>3}  {row.meaning}: {row.when}" for row in imdatabase.TABLE.values())
    parser = arguments.Parser("jimdbstatus", "Says whether the IM database runs.", f"values:\n{rows}")
    parser.add_argument("-h", metavar="HOST", help="the logical host; else JP1_HOSTNAME, else the physical host")
    parser.add_argument(
        "-t", metavar="SECONDS", type=arguments.whole_seconds, default=limits.STATUS, help="for the whole command (60)"
    )
    parser.add_argument("--json", action="store_true", help="the answer as one JSON object")
    return parser


def _state(host: LogicalHost, limit: int) -> tuple[int, str]:
    """The value and its reason, or why it could not be found out. A disk that hangs does not keep us waiting."""
    observing = max(limit - SLACK, 0)
    try:
        value, reason = bounded.ask(lambda: _observe(host, observing), observing)
    except bounded.Refused as refusal:
        return imdatabase.COULD_NOT_FIND_OUT, str(refusal)
    except bounded.Silent:
        silence = NotObservable(what=host.shared.database, reason=f"no answer within {limit} s")
        return imdatabase.COULD_NOT_FIND_OUT, str(silence)
    return value, reason


def _observe(host: LogicalHost, limit: float) -> State:
    from bansho.database.observe import observe

    return observe(host, limit)
