"""The rules: what each known defect looks like in a script's trace. Pure, but for reading the file."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bansho.cluster.scriptcheck import findings, product
from bansho.cluster.scriptcheck.trace import ASSIGNED, CHOSEN, Call, Trace, trace
from bansho.contract.messages import Message
from bansho.contract.suites import EVENT_STATUS

MAXIMUM_BYTES = 1 << 20
SUFFIXES = frozenset({".sh", ".ksh", ".bash"})
FIRST_LINE = re.compile(rb"#!.*\b(sh|ksh|ksh93|bash|dash)\b")
LOST = {CHOSEN: "the test before it", ASSIGNED: "the assignment before it"}
TALKERS = frozenset({"echo", "print", "printf", "logger"})
"""Commands that only say something: nobody wants their value."""
DEEPEST_CALLS = 10


class Finding(NamedTuple):
    """One defect."""

    line: int
    id: str
    text: str
    """The whole message: where, why it is wrong, and how it is done right."""

    @property
    def is_defect(self) -> bool:
        """Whether it is one for certain; the others are places that were not understood."""
        return self.id.endswith("E")

    def __str__(self) -> str:
        return self.text


Told = tuple[int, Message, dict[str, object]]


def is_script(path: Path) -> bool:
    """Whether a file is a shell script, by its name or its first line; one that cannot be read is none."""
    if path.suffix in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return bool(FIRST_LINE.match(file.read(80)))
    except OSError:
        return False


def check(path: Path) -> list[Finding]:
    """The defects of a script, by line. Raises UnreadableScript."""
    try:
        with path.open("rb") as file:
            source = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise findings.UnreadableScript(path=path, reason=error.strerror) from None
    if len(source) > MAXIMUM_BYTES:
        raise findings.UnreadableScript(path=path, reason="it is larger")
    return judge(trace(source), path)


def judge(found: Trace, path: Path) -> list[Finding]:
    """The defects in a trace, by line, each once."""
    told = [each for rule in RULES for each in rule(found)]
    every = {Finding(line, message.id, message(path=path, line=line, **facts)) for line, message, facts in told}
    return sorted(every)


def _runs(found: Trace) -> list[list[Call]]:
    """What can run by itself, with the functions that it calls in their places: calls in order."""
    called = {call.name for calls in found.bodies.values() for call in calls}
    roots = [name for name in found.bodies if name not in found.functions or name not in called]
    return [list(_inlined(found, name, (), False, 0)) for name in roots]


def _inlined(found: Trace, body: str, guards: tuple[str, ...], repeated: bool, depth: int) -> Iterator[Call]:
    for call in found.bodies[body]:
        here = call._replace(guards=guards + call.guards, repeated=repeated or call.repeated)
        if call.name in found.functions and depth < DEEPEST_CALLS:
            yield from _inlined(found, call.name, here.guards, here.repeated, depth + 1)
        yield here


def _every_call(found: Trace) -> list[Call]:
    return [call for calls in found.bodies.values() for call in calls]


def _proof(found: Trace) -> Iterator[Told]:
    """Start and stop have to be followed by monitoring."""
    for run in _runs(found):
        for position, call in enumerate(run):
            for order, message in (("start", findings.START), ("stop", findings.STOP)):
                of = product.order(call.name, order)
                if of and not any(product.monitors(later.name, of) for later in run[position:]):
                    yield call.line, message, {"command": call.name, "product": of}


def _forced_termination(found: Trace) -> Iterator[Told]:
    """A stop has to be followed by its own forced termination, in any case."""
    for run in _runs(found):
        stops = {of: call for call in run if (of := product.order(call.name, "stop"))}
        kills = {of: call for call in run if (of := product.order(call.name, "killall"))}
        strange = [of for of in kills if of not in stops]
        for of, stop in stops.items():
            if of not in kills and not strange:
                yield stop.line, findings.NO_TERMINATION, {"command": stop.name, "product": of}
        missing = [of for of in stops if of not in kills]
        for of in strange if stops else ():
            expected = f"{(missing or list(stops))[0]}_killall.cluster"
            yield kills[of].line, findings.OTHER_PRODUCT, {"command": kills[of].name, "expected": expected}
        yield from _tied(call for call in kills.values() if stops)


def _tied(kills: Iterator[Call]) -> Iterator[Told]:
    for kill in kills:
        ties = [each for each in kill.guards if product.order(each, "stop") or product.is_status(each)]
        if ties:
            yield kill.line, findings.TERMINATION_TIED, {"command": kill.name, "guard": ties[-1]}


def _values(found: Trace) -> Iterator[Told]:
    """`$?` has to be the value that is meant, and a status has to be translated."""
    for use in found.uses:
        of = LOST.get(use.origin) or (use.origin if use.origin in TALKERS else "")
        if of:
            how = use.how if use.how in ("exit", "return") else "use"
            yield use.line, findings.VALUE_LOST, {"of": of, "how": how}
        elif use.how == "exit" and product.is_status(use.origin):
            yield use.line, findings.RAW, {"command": use.origin}


def _words(found: Trace) -> Iterator[Told]:
    """Commands that are none."""
    for call in _every_call(found):
        if call.name == "goto":
            yield call.line, findings.GOTO, {}
        if call.words[1:2] in (("=",), ("==",)) and re.fullmatch(r"\w+", call.name):
            yield call.line, findings.ASSIGNMENT, {"name": call.name}
    for line in found.redirecting_tests:
        yield line, findings.REDIRECTING_TEST, {}
    for line, command in found.searched:
        yield line, findings.TEXT, {"command": command}
    for line in found.not_understood:
        yield line, findings.NOT_UNDERSTOOD, {}


def _needs_host(name: str) -> str:
    """How the command is told its host; empty for any other command."""
    if product.NEEDS_HOST.fullmatch(name):
        return "-h HOST"
    return "HOST" if product.ORDER.fullmatch(name) or name == EVENT_STATUS else ""


def _host(call: Call) -> str:
    """The host that a command is told; empty where it is told none."""
    arguments = call.words[1:]
    if product.NEEDS_HOST.fullmatch(call.name):
        after = arguments[arguments.index("-h") + 1 :] if "-h" in arguments else ()
        return next((each for each in after[:1] if not each.startswith("-")), "")
    return arguments[0] if arguments and not arguments[0].startswith("-") else ""


def _hosts(found: Trace) -> Iterator[Told]:
    """Each command has to be told its host, and all of them the same."""
    calls = [call for call in _every_call(found) if _needs_host(call.name)]
    for call in calls:
        if not _host(call):
            yield call.line, findings.NO_HOST, {"command": call.name, "form": _needs_host(call.name)}
    named = Counter(host for call in calls if re.fullmatch(r"[\w.-]+", host := _host(call)))
    usual = next((host for host, _ in named.most_common(1)), "")
    for call in calls:
        if (host := _host(call)) in named and host != usual:
            yield call.line, findings.TWO_HOSTS, {"command": call.name, "host": host, "others": usual}


def _limits(found: Trace) -> Iterator[Told]:
    """A status command has to have a time limit."""
    for call in _every_call(found):
        if call.name.endswith("_spmd_status") and "-t" not in call.words:
            yield call.line, findings.NO_LIMIT, {"command": call.name}


def _retries(found: Trace) -> Iterator[Told]:
    """A command with values that ask for a retry has to be asked again: in a loop, or once more after its own value was
    looked at.
    """
    for run in _runs(found):
        asked = [call for call in run if product.retried(call.name)]
        for name in {call.name for call in asked}:
            calls = [call for call in asked if call.name == name]
            if not any(call.repeated or name in call.guards for call in calls):
                values = " and ".join(map(str, product.retried(name)))
                yield calls[0].line, findings.NO_RETRY, {"command": name, "values": values}


def _sequence(found: Trace) -> Iterator[Told]:
    """Base starts before Manager and stops after it."""
    for run in _runs(found):
        for order, wanted in (("start", product.SEQUENCE), ("stop", product.SEQUENCE[::-1])):
            calls = {of: call for call in run if (of := product.order(call.name, order)) in wanted}
            (early, late) = wanted
            if list(calls) == [late, early]:
                first, second = calls[late], calls[early]
                yield first.line, findings.SEQUENCE, {"command": first.name, "other": second.name}


RULES: tuple[Callable[[Trace], Iterator[Told]], ...] = (
    _proof,
    _forced_termination,
    _values,
    _words,
    _hosts,
    _limits,
    _retries,
    _sequence,
)
