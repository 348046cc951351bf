"""The rules: what each known defect looks like in a script's trace. Pure, but for reading the file."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bansho.cluster.scriptcheck import findings, product
from bansho.cluster.scriptcheck.trace import Trace, trace
from bansho.cluster.scriptcheck.ways import ASSIGNED, CHOSEN, Call, Site, Way
from bansho.contract.messages import Message

MAXIMUM_BYTES = 1 << 20
SUFFIXES = frozenset({".sh", ".ksh", ".bash"})
FIRST_LINE = re.compile(rb"#!.*\b(sh|ksh|ksh93|bash|dash)\b")
LOST = {CHOSEN: "the test before it", ASSIGNED: "the assignment before it"}
"""Origin of a value -> what it is of, where nobody can have wanted that."""


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


def _proof(found: Trace) -> Iterator[Told]:
    """A start or a stop may end as a success only where monitoring has decided it; a test's value that is taken for the
    command's is told as such.
    """
    for end in found.ends:
        succeeds = 0 in end.last.possible and end.last.origin != CHOSEN
        for position, call in enumerate(end.calls if succeeds else ()):
            for order, message in (("start", findings.START), ("stop", findings.STOP)):
                of = product.order(call.name, order)
                proven = any(product.monitors(later.name, of) for later in end.calls[position:])
                if of and (not proven or end.last.site == call.site):
                    yield call.line, message, {"command": call.name, "product": of}


class _Stop(NamedTuple):
    """A stop on one way to the script's end."""

    of: str
    call: Call
    later: tuple[Call, ...]
    """What was called after it."""
    stopped: frozenset[str]
    """Every product that is stopped on this way."""

    def kills(self) -> dict[str, Call]:
        """The forced terminations after it, by product."""
        return {of: call for call in self.later if (of := product.order(call.name, "killall"))}


def _stops(way: Way) -> Iterator[_Stop]:
    stops = {of: place for place, call in enumerate(way.calls) if (of := product.order(call.name, "stop"))}
    for of, place in stops.items():
        yield _Stop(of, way.calls[place], way.calls[place + 1 :], frozenset(stops))


def _forced_termination(found: Trace) -> Iterator[Told]:
    """A stop has to be followed by its own forced termination, whatever its value or a status says."""
    stops = {stop for end in found.ends for stop in _stops(end)}
    for call in {(stop.of, stop.call.line) for stop in stops}:
        these = [stop for stop in stops if (stop.of, stop.call.line) == call]
        ended = [stop for stop in these if stop.of in stop.kills()]
        left = [stop for stop in these if stop.of not in stop.kills()]
        if not ended:
            yield from _missing(left)
        elif not found.not_followed:
            yield from _tied(ended, left)


def _missing(left: list[_Stop]) -> Iterator[Told]:
    for stop in left:
        expected = f"{stop.of}_killall.cluster"
        strange = [call for of, call in stop.kills().items() if of not in stop.stopped]
        for kill in strange:
            yield kill.line, findings.OTHER_PRODUCT, {"command": kill.name, "expected": expected}
        if not strange:
            yield stop.call.line, findings.NO_TERMINATION, {"command": stop.call.name, "product": stop.of}


def _tied(ended: list[_Stop], left: list[_Stop]) -> Iterator[Told]:
    """Some values of the stop, or of a status after it, never lead to the forced termination."""
    reached, missed = _values_of(ended), _values_of(left)
    guards = [name for (site, name), values in missed.items() if values - reached.get((site, name), values)]
    for kill in {stop.kills()[stop.of] for stop in ended if guards}:
        yield kill.line, findings.TERMINATION_TIED, {"command": kill.name, "guard": min(guards)}


def _values_of(stops: list[_Stop]) -> dict[tuple[Site, str], frozenset[int]]:
    found: dict[tuple[Site, str], frozenset[int]] = {}
    for stop in stops:
        for call in (stop.call, *stop.later):
            if call is stop.call or product.is_status(call.name):
                key = (call.site, call.name)
                found[key] = found.get(key, frozenset()) | call.value.possible
    return found


def _meant(found: Trace) -> Iterator[Told]:
    """A function that is for one product, by its name, has to call that product's commands."""
    for place in {call.place for call in found.calls}:
        of = product.meant(place)
        orders = [call for call in found.calls if call.place == place and product.ORDER.fullmatch(call.name)]
        if of and orders and not any(call.name.startswith(f"{of}_") for call in orders):
            for call in orders:
                expected = f"{of}_{call.name.partition('_')[2]}"
                yield call.line, findings.OTHER_PRODUCT, {"command": call.name, "expected": expected}


def _values(found: Trace) -> Iterator[Told]:
    """`$?` has to be the value that is meant, and a status has to be translated."""
    for line, how, value in found.uses:
        talker = value.origin if value.origin.partition(" ")[0] in product.TALKERS else ""
        if of := LOST.get(value.origin) or talker:
            form = how if how in ("exit", "return") else "use"
            yield line, findings.VALUE_LOST, {"of": of, "how": form}
        elif how == "exit" and product.is_status(value.origin) and len(value.possible) > 1:
            yield line, findings.RAW, {"command": value.origin}


def _words(found: Trace) -> Iterator[Told]:
    """Commands that are none, and places that are not what they look like."""
    for call in found.calls:
        if call.name == "goto":
            yield call.line, findings.GOTO, {}
    for line, name in found.spaced:
        if re.fullmatch(r"\w+", name):
            yield line, findings.ASSIGNMENT, {"name": name}
    for line, command in found.searched:
        yield line, findings.TEXT, {"command": command}
    for lines, message in (
        (found.redirecting_tests, findings.REDIRECTING_TEST),
        (found.not_understood, findings.NOT_UNDERSTOOD),
        (found.not_followed, findings.NOT_FOLLOWED),
    ):
        yield from ((line, message, {}) for line in lines)


def _unknown(call: Call) -> str:
    """An argument that may stand for options, too; empty where there is none."""
    pairs = zip(call.words, call.words[1:], strict=False)
    return next((word for before, word in pairs if word.startswith("$") and not before.startswith("-")), "")


def _hosts(found: Trace) -> Iterator[Told]:
    """Each command has to be told its host, and all of them the same."""
    calls = [call for call in found.calls if product.needs_host(call.name)]
    for call in calls:
        if not product.host(call.words):
            yield _lacking(call, product.needs_host(call.name), findings.NO_HOST)
    named = Counter(host for call in calls if re.fullmatch(r"[\w.-]+", host := product.host(call.words)))
    usual = next((host for host, _ in named.most_common(1)), "")
    for call in calls:
        if (host := product.host(call.words)) in named and host != usual:
            yield call.line, findings.TWO_HOSTS, {"command": call.name, "host": host, "others": usual}


def _lacking(call: Call, form: str, message: Message) -> Told:
    word = _unknown(call)
    if word:
        return call.line, findings.NOT_KNOWN, {"command": call.name, "word": word, "form": form}
    return call.line, message, {"command": call.name, "form": form}


def _limits(found: Trace) -> Iterator[Told]:
    """A status command has to have a time limit."""
    for call in found.calls:
        if call.name.endswith("_spmd_status") and "-t" not in call.words:
            yield _lacking(call, "-t SECONDS", findings.NO_LIMIT)


def _retries(found: Trace) -> Iterator[Told]:
    """A command with values that ask for a retry has to be asked again after each of them."""
    for site, call in () if found.not_followed else found.asked.items():
        values = product.retried(call.name)
        if values and site not in found.tries and not found.again[site].issuperset(values):
            yield call.line, findings.NO_RETRY, {"command": call.name, "values": " and ".join(map(str, values))}


def _sequence(found: Trace) -> Iterator[Told]:
    """Base starts before Manager and stops after it."""
    for end in found.ends:
        for order, wanted in (("start", product.SEQUENCE), ("stop", product.SEQUENCE[::-1])):
            calls = {of: call for call in end.calls if (of := product.order(call.name, order)) in wanted}
            (early, late) = wanted
            if list(calls) == [late, early]:
                first, second = calls[late], calls[early]
                yield first.line, findings.SEQUENCE, {"command": first.name, "other": second.name}


RULES: tuple[Callable[[Trace], Iterator[Told]], ...] = (
    _proof,
    _forced_termination,
    _meant,
    _values,
    _words,
    _hosts,
    _limits,
    _retries,
    _sequence,
)
