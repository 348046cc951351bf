"""A site's control script, followed on every way that a shell could take through it: which commands it calls there, and
whose return value each `$?` is.

Ways part where a test, a case or a command's value decides, and what is learned there of a value stays known; a way
ends where the script exits. The grammar is bash's (tree-sitter-bash); it bears with ksh, and with what it does not
understand. Nothing is run.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from bansho.cluster.scriptcheck import conditions, product, words
from bansho.cluster.scriptcheck.product import is_status
from bansho.cluster.scriptcheck.scope import LAST_VALUE, Scope
from bansho.cluster.scriptcheck.ways import (
    ANY,
    ASSIGNED,
    CHOSEN,
    NONE,
    TESTED,
    Call,
    Site,
    Value,
    Way,
    Ways,
    number,
    said,
)

BASH = Language(tree_sitter_bash.language())
DEEPEST = 100
"""What is nested deeper than this is not followed."""
MOST_STEPS = 200_000
"""A script that takes more than this is not followed to its end: a step is a place, on one way, and each call that is
known there.
"""
MOST_WAYS = 1_000
"""Nor is a place that more ways than this lead to."""
ROUNDS = 4
"""A loop is followed this often, or until a round finds nothing new."""
FILTERS = frozenset({"grep", "egrep", "fgrep", "awk", "nawk", "gawk", "sed", "cut", "wc", "head", "tail", "tr"})
SUBSHELLS = ("command_substitution", "process_substitution")
TRUE, FALSE = frozenset({0}), ANY - {0}
MENTIONED = re.compile(r"[\s<>|;()]+")


class Use(NamedTuple):
    """A place where a return value is used."""

    line: int
    how: str
    """`exit`, `return`, `test` or `case`."""
    value: Value


class Trace:
    """What was found on the ways through a script."""

    def __init__(self) -> None:
        self.ends: set[Way] = set()
        """The end of each way; its `$?` is the value that it ends with."""
        self.calls: set[Call] = set()
        """Every command, with its words as far as they are known."""
        self.uses: set[Use] = set()
        self.asked: dict[Site, Call] = {}
        """The calls that monitor."""
        self.again: defaultdict[Site, frozenset[int]] = defaultdict(frozenset)
        """Such a call -> its values after which the same is asked again."""
        self.tries: set[Site] = set()
        """The calls that ask again, from another place, what was asked before."""
        self.searched: set[tuple[int, str]] = set()
        """(line, command) whose output is searched for words."""
        self.spaced: set[tuple[int, str]] = set()
        """(line, command) whose first argument is the sign of an assignment."""
        self.redirecting_tests: set[int] = set()
        self.not_understood: set[int] = set()
        self.not_followed: set[int] = set()


def trace(source: bytes) -> Trace:
    """Follows a script; any bytes will do."""
    walk = _Walk(Parser(BASH).parse(source).root_node)
    walk.follow_all()
    return walk.found


def _line(node: Node) -> int:
    return node.start_point.row + 1


def _before_and_after_then(node: Node) -> tuple[list[Node], list[Node]]:
    types = [each.type for each in node.children]
    then = types.index("then") if "then" in types else len(types)
    return (
        [each for each in node.children[:then] if each.is_named],
        [each for each in node.children[then:] if each.is_named],
    )


def _split(ways: Ways) -> tuple[Ways, Ways]:
    """The ways on which the last value is 0, and the others; after a test, `$?` there is only the test's."""

    def kept(possible: frozenset[int]) -> Ways:
        narrowed = {way.narrowed(way.last, possible) for way in ways}
        return frozenset(way.ended(chosen(way.last, possible)) for way in narrowed if way)

    def chosen(value: Value, possible: frozenset[int]) -> Value:
        origin = CHOSEN if value.origin == TESTED else value.origin
        return value._replace(origin=origin, possible=value.possible & possible)

    return kept(TRUE), kept(FALSE)


def _known_apart(ways: Ways, others: Ways) -> Ways:
    """The ways that something known keeps apart from the others: more than the value that has parted them."""
    known = {way.ended(Value()) for way in others}
    return frozenset(way for way in ways if way.ended(Value()) not in known)


def _joined(ways: Ways) -> Ways:
    """The ways behind a branch: a test's value that is still `$?` there is as good as any."""
    return frozenset(way.ended(way.last._replace(origin=TESTED)) if way.last.origin == CHOSEN else way for way in ways)


class _Walk:
    """The ways through a script, up to where it has been followed."""

    def __init__(self, root: Node) -> None:
        self.found = Trace()
        self._root = root
        self._functions = {
            words.text(each.child_by_field_name("name")): each.child_by_field_name("body")
            for each in words.every(root, ["function_definition"])
        }
        self._scope = Scope(words.constants(root))
        self._exits = [self.found.ends]
        """Where the ways end that leave the script, and each subshell."""
        self._outputs: dict[str, str] = {}
        """Variable, as `$NAME`, or file -> the command whose output it holds."""
        self._log: list[str] = []
        """The names of the commands, as they were met."""
        self._met: set[int] = set()
        self._depth, self._steps = 0, 0
        self._kinds: Mapping[str, Callable[[Node, Ways], Ways]] = {
            "command": self._command,
            "test_command": self._test,
            "variable_assignment": self._assignment,
            "declaration_command": self._declaration,
            "compound_statement": self._compound,
            "redirected_statement": self._redirected,
            "negated_command": self._negated,
            "if_statement": self._if,
            "list": self._list,
            "pipeline": self._pipeline,
            "subshell": self._subshell,
            **dict.fromkeys(SUBSHELLS, self._subshell),
            "case_statement": self._case,
            "while_statement": self._while,
            "for_statement": self._for,
            "c_style_for_statement": self._for,
            "function_definition": lambda _, ways: ways,
            "ERROR": self._error,
        }
        self._builtins: Mapping[str, Callable[[Node, Call, Ways], Ways]] = {
            "exit": self._leave,
            "return": self._leave,
            "break": self._break,
            "continue": self._break,
            "test": lambda node, _, ways: self._test(node, ways),
            "read": self._read,
            "shift": self._shift,
            **dict.fromkeys((":", "true"), lambda _, call, ways: self._valued(call, TRUE, ways)),
            "false": lambda _, call, ways: self._valued(call, FALSE, ways),
        }

    def follow_all(self) -> None:
        """Follows the script, and each function that it does not call itself; and looks at what no way leads to."""
        named = {words.plain(each) for each in words.every(self._root, ["command_name"])}
        self._follow_alone("", self._root)
        for name, body in self._functions.items():
            if name not in named and body is not None:
                self._follow_alone(name, body)
        for node in words.every(self._root, ["command"]):
            if node.id not in self._met:
                self._record(node, self._scope.command(node, Way()))

    def _follow_alone(self, place: str, body: Node) -> None:
        self._scope = Scope(self._scope.constants, place)
        self.found.ends |= self._follow(body, frozenset({Way()}))
        self.found.ends |= self._scope.returned

    def _follow(self, node: Node, ways: Ways) -> Ways:
        """Goes on through a node, on each of the ways; those that come out at its end."""
        self._steps += sum(1 + len(way.calls) for way in ways)
        if self._depth >= DEEPEST or self._steps > MOST_STEPS or len(ways) > MOST_WAYS:
            self.found.not_followed.add(_line(node))
            return NONE
        self._depth += 1
        after = self._kinds.get(node.type, self._children)(node, ways) if ways else NONE
        self._depth -= 1
        return after

    def _children(self, node: Node, ways: Ways) -> Ways:
        return self._sequence(node.named_children, ways)

    def _sequence(self, nodes: Iterable[Node], ways: Ways) -> Ways:
        for node in nodes:
            if ways:
                ways = self._follow(node, ways)
        return ways

    def _error(self, node: Node, ways: Ways) -> Ways:
        self.found.not_understood.add(_line(node))
        return self._children(node, ways)

    def _subshell(self, node: Node, ways: Ways) -> Ways:
        self._exits.append(set())
        after = self._children(node, ways)
        return after | self._exits.pop()

    def _substitutions(self, node: Node, ways: Ways) -> Ways:
        return self._sequence(words.every(node, SUBSHELLS, inner=False), ways)

    # Commands

    def _record(self, node: Node, said: tuple[str, ...]) -> Call:
        call = Call(_line(node), said, self._scope.place, (*self._scope.path, node.id), Value(said[0]))
        self._met.add(node.id)
        self._log.append(call.name)
        self.found.calls.add(call._replace(site=()))
        if words.text(next(iter(node.children_by_field_name("argument")), None)) in ("=", "=="):
            self.found.spaced.add((call.line, call.name))
        return call

    def _command(self, node: Node, ways: Ways) -> Ways:
        seen = len(self._log)
        ways = self._substitutions(node, ways)
        inner = self._log[seen:]
        grouped, after = defaultdict(set), set[Way]()
        for way in ways:
            grouped[self._scope.command(node, way)].add(way)
        for spoken, group in grouped.items():
            call = self._record(node, spoken)
            if call.name in FILTERS:
                self._searches(node, inner)
            after |= self._called(node, call, frozenset(group))
        return self._exec(node, frozenset(after))

    def _exec(self, node: Node, ways: Ways) -> Ways:
        """`exec` with a command never comes back."""
        if words.plain(node.child_by_field_name("name")) != "exec" or not node.children_by_field_name("argument"):
            return ways
        self.found.uses |= {Use(_line(node), "exit", way.last) for way in ways}
        self._exits[-1] |= ways
        return NONE

    def _called(self, node: Node, call: Call, ways: Ways) -> Ways:
        if call.name in self._functions:
            return self._function(call, ways)
        if call.name in self._builtins:
            return self._builtins[call.name](node, call, ways)
        if not (is_status(call.name) or product.ORDER.fullmatch(call.name)):
            return self._valued(call, ANY, ways)
        call = call._replace(value=Value(call.name, call.site))
        if is_status(call.name):
            self._asks(call, ways)
        return frozenset(way.called(call) for way in ways)

    def _valued(self, call: Call, possible: frozenset[int], ways: Ways) -> Ways:
        return frozenset(way.ended(Value(call.name, possible=possible)) for way in ways)

    def _asks(self, call: Call, ways: Ways) -> None:
        self.found.asked[call.site] = call
        told = (call.name, product.host(call.words))
        for earlier in {each for way in ways for each in way.calls if (each.name, product.host(each.words)) == told}:
            possible, same = earlier.value.possible, earlier.site == call.site
            if not earlier.other and (same or possible != ANY):
                self.found.again[earlier.site] |= possible
                self.found.tries |= set() if same else {call.site}

    def _function(self, call: Call, ways: Ways) -> Ways:
        """Follows a function with its arguments. What it said last is not what its caller wants to know of."""
        body, outer = self._functions[call.name], self._scope
        if body is None or call.name in outer.functions:
            return self._valued(call, ANY, ways)
        self._scope = outer.called(call.name, call.site, call.words[1:])
        after = self._follow(body, ways) | self._scope.returned
        self._scope = outer
        return frozenset(
            way.ended(way.last._replace(origin=f"{way.last.origin} in {call.name}"))
            if way.last.origin in product.TALKERS
            else way
            for way in after
        )

    def _leave(self, node: Node, call: Call, ways: Ways) -> Ways:
        word = words.plain(node.named_children[1]) if node.named_child_count > 1 else "$?"
        self._use(node, call.name, ways)
        returns = call.name == "return" and (self._scope.place or len(self._exits) == 1)
        sink = self._scope.returned if returns else self._exits[-1]
        for way in ways:
            value = way.last if LAST_VALUE.fullmatch(word) else self._scope.known(self._scope.fill(word, way), way)
            sink.add(way.ended(value or Value()))
        return NONE

    def _break(self, _: Node, call: Call, ways: Ways) -> Ways:
        loops = self._scope.loops
        if not loops:
            return ways
        outwards = max(number("".join(call.words[1:2])), 1)
        leaving, going_on = loops[-min(outwards, len(loops))]
        (leaving if call.name == "break" else going_on).update(ways)
        return NONE

    def _read(self, _: Node, call: Call, ways: Ways) -> Ways:
        for name in call.words[1:]:
            ways = frozenset(way.bound(name, None) for way in ways)
        return self._valued(call, ANY, ways)

    def _shift(self, _: Node, call: Call, ways: Ways) -> Ways:
        scope, many = self._scope, number("".join(call.words[1:2]) or "1")
        known = scope.arguments is not None and many >= 0 and not scope.loops
        scope.arguments = (scope.arguments or ())[many:] if known else None
        return frozenset(way.bound("1", None) for way in self._valued(call, ANY, ways))

    # Values

    def _use(self, node: Node, how: str, ways: Ways) -> None:
        text = words.plain(node)
        names = words.variables(text)
        if text.startswith("(("):
            names += re.findall(r"\b[A-Za-z_]\w*", text)
        for way in ways:
            values = [way.last] if LAST_VALUE.search(text) else []
            values += [value for name in names if (value := way.variable(name)) is not None]
            self.found.uses.update(Use(_line(node), how, value) for value in values if value.origin)

    def _test(self, node: Node, ways: Ways) -> Ways:
        self._use(node, "test", ways)
        self.found.searched |= {(_line(node), command) for command in self._mentioned(words.text(node))}
        self._redirecting(node)
        test = conditions.read(words.masked(node))
        decided = [conditions.decide(test, way, self._scope.known) for way in self._substitutions(node, ways)]
        return frozenset(
            way.ended(Value(TESTED, possible=value))
            for both in decided
            for found, value in zip(both, (TRUE, frozenset({1})), strict=True)
            for way in found
        )

    def _redirecting(self, node: Node) -> None:
        said = words.text(node)
        if said.startswith("[") and not said.startswith("[["):
            for each in words.every(node, ["binary_expression"]):
                if words.text(each.child_by_field_name("operator")) in ("<", ">"):
                    self.found.redirecting_tests.add(_line(each))

    def _compound(self, node: Node, ways: Ways) -> Ways:
        return (self._test if words.text(node).startswith("((") else self._children)(node, ways)

    def _declaration(self, node: Node, ways: Ways) -> Ways:
        ways = self._children(node, ways)
        return frozenset(way.ended(Value(ASSIGNED, possible=TRUE)) for way in ways)

    def _assignment(self, node: Node, ways: Ways) -> Ways:
        name, value = words.text(node.child_by_field_name("name")), node.child_by_field_name("value")
        seen, word = len(self._log), words.plain(value)
        self._outputs.pop(f"${name}", None)
        after = set[Way]()
        for way in ways:
            held = self._assigned(name, word, way)
            quiet = frozenset({way.ended(Value(ASSIGNED, possible=TRUE))})
            after |= {each.bound(name, held) for each in self._substitutions(node, quiet)}
        if statuses := [command for command in self._log[seen:] if is_status(command)]:
            self._outputs[f"${name}"] = statuses[-1]
        return frozenset(after)

    def _assigned(self, name: str, word: str, way: Way) -> Value | None:
        """What a variable holds after it is set to a word; None where that is not known, or is a constant."""
        value = self._scope.known(word, way)
        others = words.variables(word)
        if name in others or (name in self._scope.constants and not others):
            return None
        if value is None and word and words.FOUND_OUT not in word and "`" not in word:
            return said(self._scope.fill(word, way))
        return value if word else None

    # Outputs that are searched

    def _mentioned(self, text: str) -> set[str]:
        filled = self._scope.fill(words.QUOTES.sub("", text), Way())
        names = [f"${name}" for name in words.variables(text)] + MENTIONED.split(filled)
        return {self._outputs[name] for name in names if name in self._outputs}

    def _searches(self, node: Node, inner: Iterable[str]) -> None:
        whole = node.parent if node.parent is not None and node.parent.type == "redirected_statement" else node
        found = self._mentioned(words.text(whole)) | {name for name in inner if is_status(name)}
        self.found.searched |= {(_line(node), name) for name in found}

    def _redirected(self, node: Node, ways: Ways) -> Ways:
        seen = len(self._log)
        ways = self._children(node, ways)
        statuses = [name for name in self._log[seen:] if is_status(name)]
        for each in node.children_by_field_name("redirect"):
            written = each.type == "file_redirect" and each.children[0].type in (">", ">|", "&>")
            if written and statuses:
                file = self._scope.fill(words.plain(each.child_by_field_name("destination")), Way())
                self._outputs[file] = statuses[-1]
        return ways

    def _pipeline(self, node: Node, ways: Ways) -> Ways:
        seen = len(self._log)
        *before, last = node.named_children
        for each in before:
            ways = self._subshell_of(each, ways)
        asked = {name for name in self._log[seen:] if is_status(name)}
        ways = self._follow(last, ways)
        later = [each for part in (*before[1:], last) for each in words.every(part, ["command"])]
        if any(self._scope.command(each, Way())[0] in FILTERS for each in later):
            self.found.searched |= {(_line(node), name) for name in asked | self._mentioned(words.text(node))}
        return ways

    def _subshell_of(self, node: Node, ways: Ways) -> Ways:
        self._exits.append(set())
        after = self._follow(node, ways)
        return after | self._exits.pop()

    # Where ways part

    def _negated(self, node: Node, ways: Ways) -> Ways:
        yes, no = _split(self._children(node, ways))
        return frozenset(
            way.ended(Value(TESTED, possible=value))
            for found, value in ((no, TRUE), (yes, frozenset({1})))
            for way in found
        )

    def _if(self, node: Node, ways: Ways) -> Ways:
        clauses = [each for each in node.named_children if each.type == "elif_clause"]
        others = [each for each in node.named_children if each.type == "else_clause"]
        done, left = NONE, ways
        for each in (node, *clauses):
            condition, body = _before_and_after_then(each)
            yes, left = _split(self._sequence(condition, left))
            done |= self._sequence((part for part in body if not part.type.endswith("_clause")), yes)
        if others:
            return _joined(done | self._sequence(others, left))
        return _joined(done) | frozenset(way.ended(Value(possible=TRUE)) for way in left)

    def _list(self, node: Node, ways: Ways) -> Ways:
        left, right = node.named_children[0], node.named_children[-1]
        yes, no = _split(self._follow(left, ways))
        goes_on, ends = (no, yes) if node.children[1].type == "||" else (yes, no)
        return self._follow(right, goes_on) | _joined(ends)

    def _case(self, node: Node, ways: Ways) -> Ways:
        value = node.child_by_field_name("value")
        if value is None:
            return self._children(node, ways)
        self._use(value, "case", ways)
        self.found.searched |= {(_line(value), command) for command in self._mentioned(words.text(value))}
        left, done = self._substitutions(value, ways), NONE
        for item in (each for each in node.named_children if each.type == "case_item"):
            labels = item.children_by_field_name("value")
            taken, left = self._chosen(words.plain(value), [words.plain(each) for each in labels], left)
            done |= self._sequence((each for each in item.named_children if each not in labels), taken)
        return _joined(done) | frozenset(way.ended(Value(possible=TRUE)) for way in left)

    def _chosen(self, word: str, patterns: list[str], ways: Ways) -> tuple[Ways, Ways]:
        taken, left = set[Way](), set[Way]()
        for way in ways:
            value = self._scope.known(word, way)
            yes, no = conditions.choose(word, value, patterns, way)
            if yes:
                taken.add(yes.ended(Value(CHOSEN)) if value and value.origin else yes)
            if no:
                left.add(no)
        return frozenset(taken), frozenset(left)

    # Loops

    def _while(self, node: Node, ways: Ways) -> Ways:
        condition = [each for each in node.children_by_field_name("condition") if each.is_named]

        def enter(ways: Ways) -> tuple[Ways, Ways]:
            yes, no = _split(self._sequence(condition, ways))
            return (no, yes) if node.children[0].type == "until" else (yes, no)

        return self._loop(node, enter, ways)

    def _for(self, node: Node, ways: Ways) -> Ways:
        variable = words.text(node.child_by_field_name("variable"))

        def enter(ways: Ways) -> tuple[Ways, Ways]:
            each = frozenset(way.bound(variable, None) for way in ways)
            return each, each

        return self._loop(node, enter, ways)

    def _loop(self, node: Node, enter: Callable[[Ways], tuple[Ways, Ways]], ways: Ways) -> Ways:
        """Follows a loop, at least once where nothing that is known speaks against it."""
        body = node.child_by_field_name("body")
        left, again = set[Way](), set[Way]()
        met = out = NONE
        self._scope.loops.append((left, again))
        for turn in range(ROUNDS):
            ways, met = ways - met, met | ways
            if not ways or body is None:
                break
            inside, done = enter(ways)
            out |= done if turn else _known_apart(done, inside)
            ways = self._follow(body, inside) | again
        self._scope.loops.pop()
        return frozenset(way.ended(Value()) for way in out | left)
