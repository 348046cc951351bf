"""One way through a script: what it has called so far, and what is known there of return values and variables.

Two ways on which the same is known are one: so their number stays small, and a loop comes to an end.
"""

from typing import NamedTuple, Self

from bansho.cluster.scriptcheck.words import variables

ANY = frozenset(range(256))
"""The return values that there are."""
CHOSEN = "["
"""The origin of `$?` inside a branch that a test has chosen: the test's value, always the same."""
ASSIGNED = "="
"""The origin of `$?` after an assignment: 0."""
TESTED = "[]"
"""The origin of `$?` just after a test, or a command with ! before it: that value, on purpose."""
Site = tuple[int, ...]
"""Which call it is: the place in the script, behind the places of the functions that it is called through."""


class Value(NamedTuple):
    """A return value, or what a variable holds."""

    origin: str = ""
    """Whose return value it is: a command's name, or a mark; empty where it does not matter."""
    site: Site = ()
    """The call of the product's that it comes from: to learn something of one copy is to learn it of all."""
    possible: frozenset[int] = ANY
    """What it can be."""
    text: str = ""
    """A variable's text, where it is known."""


def number(text: str) -> int:
    """A whole number of at most three digits; -1 for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else -1


def said(text: str) -> Value:
    """What a word of the script itself stands for."""
    value = number(text)
    return Value(possible=frozenset({value}) if value in ANY else ANY, text=text)


class Call(NamedTuple):
    """A command that the script calls."""

    line: int
    words: tuple[str, ...]
    """Its name without its folder, and its arguments."""
    place: str = ""
    """The function that it stands in; empty for none."""
    site: Site = ()
    value: Value = Value()
    other: bool = False
    """A variable among its words has changed since: called once more, it would be told something else."""

    @property
    def name(self) -> str:
        """The command's name."""
        return self.words[0]


class Way(NamedTuple):
    """A way, up to some place of the script."""

    calls: tuple[Call, ...] = ()
    """The product's commands that it has called, each place once, by their last time."""
    variables: frozenset[tuple[str, Value]] = frozenset()
    last: Value = Value()
    """What `$?` is."""

    def variable(self, name: str) -> Value | None:
        """What a variable holds, where that is known."""
        return next((value for each, value in self.variables if each == name), None)

    def bound(self, name: str, value: Value | None) -> Self:
        """The way on which a variable is set; to something unknown by None."""
        others = frozenset(each for each in self.variables if each[0] != name)
        calls = tuple(
            call._replace(other=True) if any(name in variables(word) for word in call.words) else call
            for call in self.calls
        )
        return self._replace(variables=others | ({(name, value)} if value else set()), calls=calls)

    def called(self, call: Call) -> Self:
        """The way on which this command is called, and its value is `$?`."""

        def apart(value: Value) -> Value:
            return value._replace(site=()) if value.site == call.site else value

        kept = frozenset((name, apart(value)) for name, value in self.variables)
        earlier = tuple(each for each in self.calls if each.site != call.site)
        return self._replace(calls=(*earlier, call), variables=kept, last=call.value)

    def narrowed(self, value: Value, keep: frozenset[int]) -> Self | None:
        """The way on which a value is one of these; None if it cannot be."""
        possible = value.possible & keep
        if not possible or not value.site:
            return self if possible else None

        def narrow(each: Value) -> Value:
            return each._replace(possible=possible) if each.site == value.site else each

        return self._replace(
            calls=tuple(call._replace(value=narrow(call.value)) for call in self.calls),
            variables=frozenset((name, narrow(each)) for name, each in self.variables),
            last=narrow(self.last),
        )

    def ended(self, value: Value) -> Self:
        """The way on which `$?` is this value."""
        return self._replace(last=value)


Ways = frozenset[Way]
NONE: Ways = frozenset()
