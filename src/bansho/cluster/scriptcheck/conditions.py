"""What a test says of return values and variables: `[ ]`, `[[ ]]`, `(( ))` and `test`, read word by word.

The grammar's tree is of no use here: it takes `a -ne 1 -o b = 2` for a comparison with 2.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from bansho.cluster.scriptcheck.ways import ANY, NONE, Value, Way, Ways, said

WORD = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+")
SUM = re.compile(r"[A-Za-z_]\w*|\$?\w+|[<>=!]=|&&|\|\||\S", re.ASCII)
NUMBERS: Mapping[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TEXTS = {"=": True, "==": True, "!=": False}
MIRRORED = {"-lt": "-gt", "-le": "-ge", "-gt": "-lt", "-ge": "-le", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
PATTERN = re.compile(r"[*?\[]")


class Comparison(NamedTuple):
    """One part of a test."""

    words: tuple[str, ...]
    negated: bool = False


Known = Callable[[str, Way], Value | None]
"""What a word stands for on a way; None where that is not known."""


def read(text: str) -> list[list[Comparison]]:
    """A test: one of these has to be fulfilled, in each of its parts."""
    if text.startswith("(("):
        words = [f"${word}" if re.match(r"[A-Za-z_]", word) else word for word in SUM.findall(text[2:-2])]
    else:
        words = [re.sub(r"[\"']", "", word) for word in WORD.findall(text)]
        words = words[1:-1] if text.startswith("[") else words[1:]
    return [[_comparison(part) for part in _parts(each, "-a", "&&")] for each in _parts(words, "-o", "||")]


def _parts(words: list[str], *between: str) -> Iterator[list[str]]:
    part: list[str] = []
    for word in words:
        if word in between:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _comparison(words: list[str]) -> Comparison:
    negations = next((number for number, word in enumerate(words) if word != "!"), len(words))
    return Comparison(tuple(words[negations:]), negations % 2 == 1)


def decide(test: list[list[Comparison]], way: Way, known: Known) -> tuple[Ways, Ways]:
    """The ways on which a test is fulfilled, and those on which it is not."""
    fulfilled, left = NONE, frozenset({way})
    for parts in test:
        still, failed = left, NONE
        for part in parts:
            each = [_compare(part, one, known) for one in still]
            still = NONE.union(*(yes for yes, _ in each))
            failed = failed.union(*(no for _, no in each))
        fulfilled, left = fulfilled | still, failed
    return fulfilled, left


def _compare(part: Comparison, way: Way, known: Known) -> tuple[Ways, Ways]:
    yes, no = _compared(part.words, way, known) if len(part.words) == 3 else (way, way)
    found = tuple(frozenset({each}) if each else NONE for each in (yes, no))
    return (found[1], found[0]) if part.negated else (found[0], found[1])


def _compared(words: tuple[str, ...], way: Way, known: Known) -> tuple[Way | None, Way | None]:
    left, sign, right = words
    if "$" in right and "$" not in left:
        left, sign, right = right, MIRRORED.get(sign, sign), left
    value, other = known(left, way), known(right, way)
    if sign not in NUMBERS or other is None or "$" not in left:
        return way, way
    if sign in TEXTS and not (value and value.possible != ANY) and not (value and value.site):
        yes, no = _as_text(left, value, other.text, way)
        return (yes, no) if TEXTS[sign] else (no, yes)
    if value is None or len(other.possible) != 1:
        return way, way
    (number,) = other.possible
    keep = frozenset(each for each in ANY if NUMBERS[sign](each, number))
    return way.narrowed(value, keep), way.narrowed(value, ANY - keep)


def _as_text(word: str, value: Value | None, text: str, way: Way) -> tuple[Way | None, Way | None]:
    if "$" in text or PATTERN.search(text):
        return way, way
    if value is None:
        return learned(word, text, way), way
    if not value.text or "$" in value.text:
        return way, way
    return (way, None) if value.text == text else (None, way)


def learned(word: str, text: str, way: Way) -> Way:
    """The way on which a variable that was not known has been found to be this text."""
    name = re.fullmatch(r"\$\{?(\w+)\}?", word, re.ASCII)
    return way.bound(name[1], said(text)) if name else way


def choose(word: str, value: Value | None, patterns: list[str], way: Way) -> tuple[Way | None, Way | None]:
    """A case's item: the way on which the word matches one of its patterns, and the one on which none does."""
    if value is not None and value.text and "$" not in value.text:
        matches = any(fnmatchcase(value.text, pattern) for pattern in patterns)
        return (way, None) if matches else (None, way)
    if value is not None and (value.site or value.possible != ANY):
        keep = frozenset(each for each in ANY if any(fnmatchcase(str(each), pattern) for pattern in patterns))
        return way.narrowed(value, keep), way.narrowed(value, ANY - keep)
    if patterns == ["*"]:
        return way, None
    told = value is None and len(patterns) == 1 and not PATTERN.search(patterns[0])
    return (learned(word, patterns[0], way) if told else way), way
