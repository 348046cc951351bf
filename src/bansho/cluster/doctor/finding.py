"""What a check finds, and what it looks at."""

import subprocess
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from bansho.logicalhost.definition import LogicalHost

ANSWERS_WITHIN = 10.0
"""Seconds allowed for a program that a check asks."""


class Level(Enum):
    """How a finding is to be taken."""

    OK = "right"
    WARNING = "warning"
    """It works, and something is missing that would help when much goes wrong."""
    PROBLEM = "wrong"
    UNKNOWN = "not checked"
    """It could not be looked at here. Never taken for right."""


class Finding(NamedTuple):
    """One thing found: what, and what to do about it (empty where all is right)."""

    level: Level
    what: str
    todo: str = ""


class CannotTell(Exception):
    """Raised inside a check that cannot be made here; its words become a finding."""


class Subject(NamedTuple):
    """What is examined: a logical host, on this node."""

    host: LogicalHost
    node: str
    """This node's name."""
    online: bool
    """The shared directory is on this node."""
    cib: Element | None
    """The live cluster's information base; None on a node that is in no running cluster."""
    home: str
    """The node on which the cluster runs it; empty where it runs nowhere, or that is not known."""


class Check(NamedTuple):
    """One check: its name, why it matters, and how it looks."""

    name: str
    why: str
    look: Callable[[Subject], Iterable[Finding]]


class Examined(NamedTuple):
    """A check with what it found."""

    check: Check
    findings: tuple[Finding, ...]

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        found = [{"level": each.level.value, "what": each.what, "todo": each.todo} for each in self.findings]
        return {"check": self.check.name, "why": self.check.why, "findings": found}


def right(what: str) -> Finding:
    """All is right."""
    return Finding(Level.OK, what)


def wrong(what: str, todo: str) -> Finding:
    """A problem, and what to do."""
    return Finding(Level.PROBLEM, what, todo)


def warning(what: str, todo: str) -> Finding:
    """A warning, and what to do."""
    return Finding(Level.WARNING, what, todo)


def unknown(what: str, todo: str) -> Finding:
    """Not checked, and how it can be."""
    return Finding(Level.UNKNOWN, what, todo)


def ask(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a program that only looks. Raises CannotTell."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=ANSWERS_WITHIN,
        )
    except FileNotFoundError:
        raise CannotTell(f"{command[0]} is not on this node") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotTell(f"{command[0]} gave no answer ({error})") from None
