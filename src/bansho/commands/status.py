"""`jbs_spmd_status`, `jco_spmd_status`, `jimdbstatus` (CONTRACT 3.2, 3.3), as soon as a bare interpreter runs.

A fresh record answers here, when the front in sh could not (`--json`). Nothing is imported for that which takes time:
no `site`, no `json`. Everything else, every doubt and every mistake is `operation`'s, or `jimdbstatus`'s.
"""

import posix
import sys

from bansho.commands import run
from bansho.process import fresh

TYPE_CHECKING = False  # not typing's, which would cost as much as the interpreter itself
if TYPE_CHECKING:
    from typing import Any

NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
MAXIMUM = 32767
"""`limits.STATUS_MAXIMUM`; a test holds both together."""
DATABASE = "database"
"""What stands for the suite where the IM database is asked for: the name of the record's folder."""


def main() -> None:
    """Runs the command for the suite in `sys.argv[1]`."""
    suite, given = sys.argv[1], sys.argv[2:]
    answer = quickly(suite, given)
    if answer is None:
        _thoroughly("jimdbstatus" if suite == DATABASE else "operation")
        return
    value, line = answer
    try:  # noqa: SIM105 - contextlib takes as long to import as the rest
        posix.write(1, line.encode("utf-8", "surrogateescape") + b"\n")
    except OSError:  # a stream that cannot be written changes no value
        pass
    posix._exit(value)  # nothing is open, and the interpreter's own end takes as long as all of this


def quickly(suite: str, given: list[str]) -> tuple[int, str] | None:
    """The value and what to print, where arguments and record leave no doubt; else None."""
    arguments = [each for each in given if each != "--json"]
    host = _host(arguments)
    if not host:
        return None
    run = posix.environ.get(b"BANSHO_RUN") or b"/run/bansho"
    found = fresh.read(f"{run.decode('utf-8', 'surrogateescape')}/{host}/{suite}/record")
    if not found:
        return None
    value, text, document = found[0], found[5], found[6]
    known = {"host": host, "suite": suite, "value": value, "text": text}
    if suite == DATABASE:
        if not _healthy(value, text):
            return None
        del known["suite"]
    if arguments == given:
        return value, text
    said = _object(document)
    if said is None or "meaning" not in said or any(said.get(name) != known[name] for name in known):
        return None
    return value, f'{{"return": {value}, {document[1:-1]}, "messages": []}}'


def _healthy(value: int, text: str) -> bool:
    """Whether the database's record may be believed: it says 0 or nothing, to a terminal nothing but letters.

    Its folder is the database's user's, which is not to be trusted with more.
    """
    return value == 0 and text.isascii() and text.isprintable()


def _host(arguments: list[str]) -> str:
    """The logical host that the arguments name, in one of the forms that the front takes; "" in any doubt."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    if len(options) * 2 != len(arguments) or not options.keys() <= {"-h", "-t"}:
        return ""
    limit = options.get("-t", "0")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 5 and int(limit) <= MAXIMUM):
        return ""
    host = options.get("-h")
    if host is None:
        host = (posix.environ.get(b"JP1_HOSTNAME") or b"physical").decode("utf-8", "surrogateescape")
    return host if host[:1].isalnum() and NAME.issuperset(host) else ""


def _object(text: str) -> "dict[str, Any] | None":
    """The JSON object in `text`, by the scanner that `json` itself uses and takes 6 ms to wrap; None if it is none.

    Where the text is malformed it looks for `json`'s own error, and raises a SystemError while `json` is not there.
    """
    try:
        from _json import make_scanner

        found, end = make_scanner(_Scanner)(text, 0)  # type: ignore[arg-type] # declared for its own kind alone
    except (ImportError, ValueError, SystemError, StopIteration, RecursionError, TypeError):
        return None
    return found if isinstance(found, dict) and end == len(text) else None


class _Scanner:
    """What the scanner wants to know; `NaN` is no JSON, and calling None for it fails."""

    strict, memo = True, dict[str, str]()
    object_hook = object_pairs_hook = parse_constant = None
    parse_float, parse_int = float, int


def _thoroughly(module: str) -> None:
    if "site" not in sys.modules:
        import site

        site.main()
    run(module)
