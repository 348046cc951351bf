"""What words stand for where they are read: in the script, or in a function that was called with some arguments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from bansho.cluster.scriptcheck import product, words
from bansho.cluster.scriptcheck.ways import CHOSEN, Site, Value, Way, number, said

LAST_VALUE = re.compile(r"\$(\?|\{\?\})")
NAME = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)


@dataclass
class Scope:
    """The function that is being followed, or the script."""

    constants: Mapping[str, str]
    place: str = ""
    path: Site = ()
    """The calls that led here; none in the script itself."""
    functions: tuple[str, ...] = ()
    """The functions that are being followed."""
    arguments: tuple[str, ...] | None = None
    """What it was called with; None where that is not known."""
    returned: set[Way] = field(default_factory=set)
    loops: list[tuple[set[Way], set[Way]]] = field(default_factory=list)
    """The ways that left each loop by `break`, and those that went on by `continue`."""

    def called(self, name: str, site: Site, arguments: tuple[str, ...]) -> "Scope":
        """The scope of a function that is called here."""
        inner = (*self.functions, name)
        return replace(self, place=name, path=site, functions=inner, arguments=arguments, returned=set(), loops=[])

    def text(self, name: str, way: Way) -> str | None:
        """What is known of a variable's text, but for constants."""
        if name in "@*" or (name.isdigit() and self.path):
            return self._argument(name)
        value = way.variable(name)
        return value.text or None if value else None

    def _argument(self, name: str) -> str | None:
        if self.arguments is None:
            return None
        if name in "@*":
            return " ".join(self.arguments)
        place = number(name)
        return "".join(self.arguments[place - 1 : place]) if place > 0 else None

    def fill(self, word: str, way: Way) -> str:
        """A text with all that is known of its variables."""

        def known(name: str) -> str | None:
            text = self.text(name, way)
            return self.constants.get(name) if text is None else text

        return words.fill(word, known)

    def known(self, word: str, way: Way) -> Value | None:
        """What a word stands for. A constant is not looked up: a site may change it, so a test of it goes both ways.
        Nor is a test's value that was taken for a command's: the script is followed as it was meant.
        """
        if LAST_VALUE.fullmatch(word):
            return way.last if way.last.origin != CHOSEN else None
        found = NAME.fullmatch(word)
        name = found[1] or found[2] if found else ""
        if name.isdigit() and self.path:
            return said(self._argument(name) or "")
        if name:
            return way.variable(name)
        return None if "$" in word or "`" in word else said(word)

    def command(self, node: Node, way: Way) -> tuple[str, ...]:
        """A command's name and its arguments."""
        parts = [each for each in node.named_children if not each.type.endswith(("_assignment", "_redirect"))]
        return words.command([self.fill(words.plain(each), way) for each in parts], product.EVERY)
