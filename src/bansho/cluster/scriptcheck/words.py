"""What a shell's words say: quotes taken off, and variables filled in where a script sets them once, to a text."""

import re
from collections.abc import Iterable, Mapping

from tree_sitter import Node

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
QUOTES = re.compile(r"[\"']")
WRAPPERS = frozenset(
    {"sudo", "timeout", "nohup", "nice", "env", "exec", "command", "time", "sh", "ksh", "bash", "eval"}
)
"""Commands that call another: the one that is looked for is among their arguments."""

Constants = Mapping[str, str | None]
"""Variable -> its text; None where the script sets it more than once, or to something that is found out."""


def text(node: Node) -> str:
    """A node's own text."""
    return (node.text or b"").decode(errors="replace")


def filled(node: Node, constants: Constants) -> str:
    """A word without quotes, with what is known of its variables."""
    return fill(QUOTES.sub("", text(node)), constants)


def fill(word: str, constants: Constants) -> str:
    """A word with what is known of its variables; the others stay as they are written."""
    return VARIABLE.sub(lambda found: constants.get(found[1] or found[2]) or found[0], word)


def command(parts: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """A command's name without its folder, and its arguments. `known` are the names looked for behind a wrapper."""
    every = [word for part in parts for word in part.split() or [""]]
    names = [word.rpartition("/")[2] for word in every]
    if names and names[0] in WRAPPERS:
        start = next((position for position, name in enumerate(names) if name in known), 0)
        every, names = every[start:], names[start:]
    return (names[0], *every[1:]) if names else ("",)
