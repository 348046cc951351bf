"""What must be the same on every node that may run a logical host, as this node has it.

Each node tells the cluster these facts, so that any of them can compare: no node has to be reached from another.
"""

import json
import pwd
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from bansho import __version__
from bansho.contract.messages import BanshoError
from bansho.database import programs
from bansho.database.errors import ProgramsAbsent
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.errors import UnknownLogicalHost

ABSENT, WRONG = "absent", "wrong"
KEY = "definition."
"""What a fact about one key of the definition begins with: `definition.cluster.restarts`."""

TITLES = {
    "definition": "the definition",
    "bansho": "bansho's version",
    "user": "the number of the services' user",
    "postgresql": "PostgreSQL's major version",
}
"""Fact -> what it is called."""


def of_this_node(name: str) -> dict[str, str]:
    """The facts about the logical host `name` here; a definition that is missing or wrong is a fact too."""
    try:
        host = definition.load(name)
    except UnknownLogicalHost:
        return {"definition": ABSENT, "bansho": __version__}
    except BanshoError:
        return {"definition": WRONG, "bansho": __version__}
    found = {"bansho": __version__, **dict(_keys(definition.as_document(host), KEY))}
    if host.user:
        found["user"] = _uid(host.user)
    if "manager" in host.suites and host.cluster.database and not host.cluster.manager_commands:
        found["postgresql"] = _postgresql(host)
    return found


def _keys(document: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """What a definition says, key by key, defaults filled in; comments and order make no difference."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{place}{key}.")
        elif value is not None:
            yield place + key, value if isinstance(value, str) else json.dumps(value)


def _uid(user: str) -> str:
    try:
        return str(pwd.getpwnam(user).pw_uid)
    except KeyError:
        return ABSENT


def _postgresql(host: LogicalHost) -> str:
    try:
        return str(programs.major_version(programs.bindir(host)))
    except ProgramsAbsent:
        return ABSENT
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return WRONG


def encode(facts: Mapping[str, str]) -> str:
    """One line: `bansho=0.1.0 definition.cluster.restarts=2`."""
    return " ".join(f"{name}={quote(value, safe='/:,[]')}" for name, value in facts.items())


def decode(text: str) -> dict[str, str]:
    """The facts in such a line; words that are none are left out."""
    words = (word.partition("=") for word in text.split())
    return {name: unquote(value) for name, sign, value in words if sign}


def compare(
    nodes: Sequence[str], here: str, mine: Mapping[str, str], told: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """What is missing here, who told nothing, and how others' facts (node -> facts) differ, as sentences."""
    found = [f"{TITLES[name]} here is {value}" for name, value in mine.items() if _is_missing(name, value)]
    for node in (each for each in nodes if each != here):
        if node in told:
            found += _differences(node, mine, told[node])
        else:
            found.append(f"{node} has told nothing yet: let it join the cluster, and register the logical host")
    return found


def _is_missing(name: str, value: str) -> bool:
    return name in TITLES and value in (ABSENT, WRONG)


def _differences(node: str, mine: Mapping[str, str], told: Mapping[str, str]) -> Iterator[str]:
    if "definition" in told:
        yield f"the definition on {node} is {told['definition']}"
    unread = "definition" in told or "definition" in mine
    for name in ("bansho",) if unread else {**mine, **told}:
        there, here = told.get(name, "not set"), mine.get(name, "not set")
        if there != here:
            title = TITLES.get(name) or f"the definition's {name.removeprefix(KEY)}"
            yield f"{title} on {node} is {there}; here it is {here}"
