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
TALKERS = frozenset({"echo", "print", "printf", "logger"})
"""Commands that only say something: nobody wants their value."""
MEANT: Mapping[str, str] = {
    **dict.fromkeys(("base", "jbs"), "jbs"),
    **dict.fromkeys(("manager", "im", "imm", "cons", "jco"), "jco"),
    **dict.fromkeys(("ajs", "ajs2", "ajs3", "jajs"), "jajs"),
}
"""Word in a function's name -> the product that it means."""
VERBS = frozenset({"start", "stop", "kill", "killall", "force", "forced", "end", "down", "up", "shutdown", "jp1", "jp"})
"""The words that may stand beside it, where the function is for this product alone."""
WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*")
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


def needs_host(name: str) -> str:
    """How the command is told its host; empty for any other command."""
    if NEEDS_HOST.fullmatch(name):
        return "-h HOST"
    return "HOST" if ORDER.fullmatch(name) or name == suites.EVENT_STATUS else ""


def host(words: tuple[str, ...]) -> str:
    """The host that a command is told; empty where it is told none."""
    name, *arguments = words
    if NEEDS_HOST.fullmatch(name):
        after = arguments[arguments.index("-h") + 1 :] if "-h" in arguments else []
        return next((each for each in after[:1] if not each.startswith("-")), "")
    return arguments[0] if arguments and not arguments[0].startswith("-") else ""


def meant(function: str) -> str:
    """The product that a function is for, by its name; empty where the name says none, or more than this."""
    said = [word.lower() for word in WORD.findall(function)]
    found = {MEANT[word] for word in said if word in MEANT}
    return found.pop() if len(found) == 1 and VERBS.union(MEANT).issuperset(said) else ""
