"""What must be the same on every node that may run a logical host, as this node has it.

Each node tells the cluster these facts, so that any of them can compare: no node has to be reached from another.
"""

import hashlib
import json
import pwd
import subprocess
from collections.abc import Mapping, Sequence

from bansho import __version__
from bansho.contract.messages import BanshoError
from bansho.database import programs
from bansho.database.errors import ProgramsAbsent
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.errors import UnknownLogicalHost

ABSENT, WRONG = "absent", "wrong"
DIGITS = 12

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
    found = {"definition": fingerprint(host), "bansho": __version__}
    if host.user:
        found["user"] = _uid(host.user)
    if "manager" in host.suites and host.cluster.database and not host.cluster.manager_commands:
        found["postgresql"] = _postgresql(host)
    return found


def fingerprint(host: LogicalHost) -> str:
    """Of what a definition says, defaults filled in; comments and order make no difference."""
    text = json.dumps(definition.as_document(host))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


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
    """One line: `definition=1f... bansho=0.1.0`."""
    return " ".join(f"{name}={value}" for name, value in facts.items())


def decode(text: str) -> dict[str, str]:
    """The facts in such a line; words that are none are left out."""
    return {name: value for name, sign, value in (word.partition("=") for word in text.split()) if sign}


def compare(
    nodes: Sequence[str], here: str, mine: Mapping[str, str], told: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """What is missing here, who told nothing, and how others' facts (node -> facts) differ, as sentences."""
    found = [f"{TITLES[name]} here is {value}" for name, value in mine.items() if value in (ABSENT, WRONG)]
    for node in (each for each in nodes if each != here):
        if node not in told:
            found.append(f"{node} has told nothing yet: let it join the cluster, and register the logical host")
        else:
            found += [
                f"{TITLES[name]} on {node} is {told[node].get(name, 'not told')}; here it is {value}"
                for name, value in mine.items()
                if told[node].get(name) != value
            ]
    return found
