"""The product's commands as scripts name them: ours and the genuine one's, and those of sister products."""

import re
from collections.abc import Mapping

from bansho.contract import eventservice, imdatabase, operation, suites
from bansho.contract.verdicts import Table, Verdict

ORDER = re.compile(r"(?P<product>j[a-z]{1,8})_(?P<order>start|stop|killall)\.cluster", re.ASCII)
STATUS = re.compile(r"(?P<product>j[a-z]{1,8})_(spmd_)?status", re.ASCII)
NEEDS_HOST = re.compile(r"j[a-z]{1,8}_(spmd_)?(status|reload)|jimdbstatus", re.ASCII)
"""Commands that are told their host by -h; the others name it first."""
SEQUENCE = [names.start.partition("_")[0] for names in suites.COMMANDS.values()]
"""Our products' prefixes, in the order in which they start."""
TABLES: Mapping[str, Table] = {suites.DATABASE_STATUS: imdatabase.TABLE, suites.EVENT_STATUS: eventservice.TABLE}
"""Status commands with a table of their own; the others' is operation monitoring's."""
EVERY = frozenset(
    {name for names in suites.COMMANDS.values() for name in names} | {suites.DATABASE_STATUS, suites.EVENT_STATUS}
)


def order(name: str, wanted: str) -> str:
    """The product that the command starts, stops or ends by force, if `wanted` is what it does; else empty."""
    found = ORDER.fullmatch(name)
    return found["product"] if found and found["order"] == wanted else ""


def is_status(name: str) -> bool:
    """Whether the command is one that monitors."""
    return bool(STATUS.fullmatch(name)) or name in (suites.DATABASE_STATUS, suites.EVENT_STATUS)


def monitors(name: str, product: str) -> bool:
    """Whether the command says if this product runs."""
    found = STATUS.fullmatch(name)
    return bool(found and found["product"] == product)


def retried(name: str) -> list[int]:
    """The values after which a command that monitors is to be asked again, by its own table."""
    if not is_status(name):
        return []
    rows = TABLES.get(name, operation.TABLE)
    return [row.value for row in rows.values() if row.verdict is Verdict.RETRY]
