"""What a shell's words say: quotes taken off, and variables filled in as far as their texts are known."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from tree_sitter import Node

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+|[@*]))", re.ASCII)
SPECIAL = re.compile(r"\$[\d@*#?$!-]|\$\{(?!\w*[A-Za-z_]\w*\})[^}]*\}", re.ASCII)
"""What stands for something else in a function, or at another moment, or is found out."""
QUOTES = re.compile(r"[\"']")
FOUND_OUT = "$()"
"""Stands for a text that only running the script would show."""
LONGEST = 10_000
"""A word that would become longer is left as it is written."""
SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution", "arithmetic_expansion"})
WRAPPERS = frozenset(
    {"sudo", "timeout", "nohup", "nice", "env", "exec", "command", "time", "sh", "ksh", "bash", "eval"}
)
"""Commands that call another: the one that is looked for is among their arguments."""

Texts = Callable[[str], str | None]
"""The text of a variable; None where it is not known."""


def text(node: Node | None) -> str:
    """A node's own text."""
    return (node.text or b"").decode(errors="replace") if node is not None else ""


def every(root: Node, kinds: Iterable[str], *, inner: bool = True) -> Iterator[Node]:
    """The nodes of some kinds, in order; without `inner` only the outermost ones."""
    kinds, waiting = frozenset(kinds), [root]
    while waiting:
        node = waiting.pop()
        if node.type in kinds:
            yield node
        if inner or node.type not in kinds:
            waiting += reversed(node.children)


def masked(node: Node | None) -> str:
    """A node's text; what it finds out by a command or a sum is FOUND_OUT."""
    if node is None:
        return ""
    said, start = bytearray(), node.start_byte
    for each in every(node, SUBSTITUTIONS, inner=False):
        said += (node.text or b"")[start - node.start_byte : each.start_byte - node.start_byte] + FOUND_OUT.encode()
        start = each.end_byte
    said += (node.text or b"")[start - node.start_byte :]
    return said.decode(errors="replace")


def plain(node: Node | None) -> str:
    """The same without quotes."""
    return QUOTES.sub("", masked(node))


def variables(word: str) -> list[str]:
    """The names of the variables in a text."""
    return [found[1] or found[2] for found in VARIABLE.finditer(word)]


def fill(word: str, texts: Texts) -> str:
    """A text with what is known of its variables; the others stay as they are written."""
    room = LONGEST

    def filled(found: re.Match[str]) -> str:
        nonlocal room
        known = texts(found[1] or found[2])
        if known is None or len(known) > room:
            return found[0]
        room -= len(known)
        return known

    return VARIABLE.sub(filled, word)


def constants(root: Node) -> Mapping[str, str]:
    """The variables that a script sets once, to a text: what is found out in such a text is FOUND_OUT."""
    found: dict[str, str | None] = {}
    for node in every(root, ("variable_assignment", "for_statement")):
        name = text(node.child_by_field_name("name") or node.child_by_field_name("variable"))
        said = SPECIAL.sub(lambda _: FOUND_OUT, fill(plain(node.child_by_field_name("value")), found.get))
        known = name not in found and node.type == "variable_assignment" and said.replace(FOUND_OUT, "") != ""
        found[name] = said if known else None
    return {name: said for name, said in found.items() if said is not None}


def command(parts: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """A command's name without its folder, and its arguments. `known` are the names looked for behind a wrapper, up to
    a program that is named with its folder.
    """
    said = [word for part in parts for word in part.split() or [""]]
    names = [word.rpartition("/")[2] for word in said]
    if names and names[0] in WRAPPERS:
        programs = [place for place, word in enumerate(said) if place and "/" in word and "=" not in word]
        start = next((place for place in range(len(names)) if names[place] in known or place in programs[:1]), 0)
        said, names = said[start:], names[start:]
    return (names[0], *said[1:]) if names else ("",)
