"""A site's control script, followed in the order in which a shell would run it: which commands it calls under which
conditions, and whose return value each `$?` is.

The grammar is bash's (tree-sitter-bash); it bears with ksh, and with what it does not understand. Nothing is run.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from bansho.cluster.scriptcheck import words
from bansho.cluster.scriptcheck.product import EVERY, is_status

BASH = Language(tree_sitter_bash.language())
DEEPEST = 100
"""What is nested deeper than this is not followed."""
CHOSEN = "["
"""The origin of `$?` inside a branch that a test has chosen: the test's value, always the same."""
ASSIGNED = "="
"""The origin of `$?` after an assignment: 0."""
TESTED = "[]"
"""The origin of `$?` just after a test: the test's value, on purpose."""
UNKNOWN = ""
FILTERS = frozenset({"grep", "egrep", "fgrep", "awk", "nawk", "gawk", "sed", "cut", "wc", "head", "tail", "tr"})
TOP = "script"
LAST_VALUE = re.compile(r"\$(\?|\{\?\})")


class Call(NamedTuple):
    """A command that the script calls."""

    line: int
    words: tuple[str, ...]
    """Its name without its folder, and its arguments."""
    guards: tuple[str, ...] = ()
    """Whose return values decide whether it is called."""
    repeated: bool = False
    """It stands in a loop."""

    @property
    def name(self) -> str:
        """The command's name."""
        return self.words[0]


class Use(NamedTuple):
    """A place where a return value is used."""

    line: int
    how: str
    """`exit`, `return`, `test` or `case`."""
    origin: str
    """Whose value it is: a command's name, or one of this module's marks."""


class Trace:
    """What was found on the way through a script."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[Call]] = {TOP: []}
        """Part that runs by itself (the script, a function, a branch on an argument) -> its calls, in order."""
        self.functions: set[str] = set()
        self.uses: list[Use] = []
        self.searched: list[tuple[int, str]] = []
        """(line, command) whose output is searched for words."""
        self.redirecting_tests: list[int] = []
        self.not_understood: list[int] = []


def trace(source: bytes) -> Trace:
    """Follows a script; any bytes will do."""
    root = Parser(BASH).parse(source).root_node
    walk = _Walk(_constants(root))
    walk.follow(root)
    return walk.found


def _constants(root: Node) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for node in _every(root, "variable_assignment"):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is not None:
            said = words.filled(value, found) if value is not None else ""
            once = words.text(name) not in found and not re.search(r"[$`(]", said)
            found[words.text(name)] = said if once else None
    return found


def _every(root: Node, kind: str) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.children)
        if node.type == kind:
            yield node


def _conditions(node: Node) -> list[Node]:
    return [each for each in node.children_by_field_name("condition") if each.is_named]


def _line(node: Node) -> int:
    return node.start_point.row + 1


class _Walk:
    """Where the way through the script is just now."""

    def __init__(self, constants: words.Constants) -> None:
        self.found = Trace()
        self._constants = constants
        self._last = UNKNOWN
        """Whose value `$?` is."""
        self._values: dict[str, str] = {}
        """Variable -> whose return value it holds."""
        self._outputs: dict[str, str] = {}
        """Variable -> whose output it holds."""
        self._guards: tuple[str, ...] = ()
        self._body, self._loops, self._depth = TOP, 0, 0
        self._ways: Mapping[str, Callable[[Node], None]] = {
            "command": self._command,
            "test_command": self._test,
            "variable_assignment": self._assignment,
            "compound_statement": self._compound,
            "if_statement": self._if,
            "elif_clause": self._if,
            "list": self._list,
            "pipeline": self._pipeline,
            "case_statement": self._case,
            "while_statement": self._loop,
            "for_statement": self._loop,
            "c_style_for_statement": self._loop,
            "function_definition": self._function,
            "ERROR": self._error,
        }

    def follow(self, node: Node) -> None:
        """Goes on through a node."""
        if self._depth >= DEEPEST:
            self.found.not_understood.append(_line(node))
            return
        self._depth += 1
        self._ways.get(node.type, self._children)(node)
        self._depth -= 1

    def _children(self, node: Node) -> None:
        self._each(node.named_children)

    def _each(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self.follow(node)

    def _error(self, node: Node) -> None:
        self.found.not_understood.append(_line(node))
        self._children(node)

    def _compound(self, node: Node) -> None:
        (self._test if words.text(node).startswith("((") else self._children)(node)

    def _command(self, node: Node) -> None:
        parts = [each for each in node.named_children if each.type != "variable_assignment"]
        for each in parts:
            self._substitutions(each)
        said = words.command([words.filled(each, self._constants) for each in parts], EVERY)
        call = Call(_line(node), said, self._guards, self._loops > 0)
        if call.name in ("exit", "return", "test"):
            self._use(node, call.name)
        self.found.bodies[self._body].append(call)
        self._last = TESTED if call.name == "test" else call.name

    def _substitutions(self, node: Node) -> None:
        for each in _every(node, "command_substitution"):
            self._children(each)

    def _test(self, node: Node) -> None:
        self._use(node, "test")
        self._look_for_outputs(node)
        said = words.text(node)
        if said.startswith("[") and not said.startswith("[["):
            for each in _every(node, "binary_expression"):
                operator = each.child_by_field_name("operator")
                if operator is not None and words.text(operator) in ("<", ">"):
                    self.found.redirecting_tests.append(_line(each))
        self._substitutions(node)
        self._last = TESTED

    def _use(self, node: Node, how: str) -> list[str]:
        said = words.text(node)
        names = [found[1] or found[2] for found in words.VARIABLE.finditer(said)]
        if said.startswith("(("):
            names += re.findall(r"\b[A-Za-z_]\w*", said)
        origins = [self._last] if LAST_VALUE.search(said) else []
        origins += [self._values[name] for name in names if name in self._values]
        self.found.uses += [Use(_line(node), how, origin) for origin in origins]
        return origins

    def _look_for_outputs(self, node: Node) -> None:
        for found in words.VARIABLE.finditer(words.text(node)):
            command = self._outputs.get(found[1] or found[2], UNKNOWN)
            if is_status(command):
                self.found.searched.append((_line(node), command))

    def _assignment(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        key, said = _text(name), _text(value).strip("\"'")
        self._outputs.pop(key, None)
        self._values.pop(key, None)
        if LAST_VALUE.fullmatch(said):
            self._values[key] = self._last
        self._last = ASSIGNED
        if value is not None and said.startswith(("$(", "`")):
            self._substitutions(value)
            self._outputs[key] = self._last

    def _condition(self, nodes: list[Node]) -> list[str]:
        """Follows a condition: whose values it looks at. `$?` then is what a branch finds."""
        seen = len(self.found.uses)
        self._each(nodes)
        looked_at = [use.origin for use in self.found.uses[seen:] if use.how == "test"]
        if self._last == TESTED:
            self._last = CHOSEN
            return looked_at
        return [*looked_at, self._last]

    @contextmanager
    def _guarded(self, origins: Iterable[str]) -> Iterator[None]:
        before = self._guards
        self._guards = (*before, *origins)
        yield
        self._guards = before

    def _if(self, node: Node) -> None:
        parts = [each for each in node.named_children if each.type != "comment"]
        condition = _conditions(node) or parts[:1]
        with self._guarded(self._condition(condition)):
            chosen = self._last
            for each in parts[len(condition) :]:
                if each.type in ("elif_clause", "else_clause"):
                    self._last = chosen
                self.follow(each)
        self._last = UNKNOWN

    def _list(self, node: Node) -> None:
        left, *right = node.named_children
        with self._guarded(self._condition([left])):
            self._each(right)

    def _pipeline(self, node: Node) -> None:
        calls = self.found.bodies[self._body]
        seen = len(calls)
        self._children(node)
        *before, last = [call.name for call in calls[seen:]] or [UNKNOWN]
        if FILTERS.intersection([*before[1:], last]):
            self.found.searched += [(_line(node), name) for name in before if is_status(name)]
            self._look_for_outputs(node)

    def _case(self, node: Node) -> None:
        value, *items = node.named_children
        origins = self._use(value, "case")
        self._look_for_outputs(value)
        self._substitutions(value)
        outside, chosen = self._body, self._last
        for item in items:
            if not origins and not self._loops:
                self._body = f"{outside}:{_line(item)}"
                self.found.bodies[self._body] = []
            self._last = CHOSEN if origins else chosen
            with self._guarded(origins):
                self._each(each for each in item.named_children if each not in item.children_by_field_name("value"))
        self._body, self._last = outside, UNKNOWN

    def _loop(self, node: Node) -> None:
        self._loops += 1
        condition = _conditions(node) if node.type == "while_statement" else []
        self._condition(condition)
        self._each(each for each in node.named_children if each not in condition)
        self._loops -= 1
        self._last = UNKNOWN

    def _function(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        before = self._body, self._loops, self._guards
        self._body, self._loops, self._guards, self._last = _text(name), 0, (), UNKNOWN
        self.found.bodies[self._body] = []
        self.found.functions.add(self._body)
        if body is not None:
            self.follow(body)
        self._body, self._loops, self._guards = before
        self._last = UNKNOWN


def _text(node: Node | None) -> str:
    return words.text(node) if node is not None else ""
