"""Everything in which a document differs from the shape that it should have. msgspec itself stops at the first.

What was found wrong is left out, and the rest looked at again, until nothing more is found.
"""

import copy
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from msgspec import inspect  # only when something is wrong: it would slow every command down

MOST = 50
"""More mistakes than this are not told of one document."""
STEP = re.compile(r"[^.\[\]]+|\.\.\.")
UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)

Path = tuple[str, ...]


class Mistake(NamedTuple):
    """One thing that is wrong: where, `service[1].command` for example, and what."""

    key: str
    problem: str


def mistakes(document: Any, shape: Any) -> Iterator[Mistake]:
    """The mistakes of a document of plain data, in the order in which they stand there."""
    rest, gone, left_out = copy.deepcopy(document), set[str](), Counter[Path]()
    for _ in range(MOST):
        try:
            msgspec.convert(rest, shape)
        except msgspec.ValidationError as error:
            problem, _, where = str(error).partition(" - at ")
            path = tuple(STEP.findall(where.strip("`").removeprefix("$")))
        else:
            return
        missing, unknown = MISSING.fullmatch(problem), UNKNOWN.fullmatch(problem)
        if not missing or _key((*path, missing[1]), left_out) not in gone:
            yield Mistake(_key(path, left_out), _explained(problem, path, shape) if unknown else problem)
        wrong = (*path, unknown[1]) if unknown else path
        gone.add(_key(wrong, left_out))
        if not wrong or not _leave_out(rest, wrong, left_out):
            return


def _explained(problem: str, path: Path, shape: Any) -> str:
    """With the keys that there are."""
    from msgspec import inspect

    known = _fields(inspect.type_info(shape), path)
    return f"{problem}; expected {', '.join(known)}" if known else problem


def _fields(kind: "inspect.Type", path: Path) -> list[str]:
    """The keys of the table at `path`; none where it is no table of a fixed shape."""
    from msgspec import inspect

    if isinstance(kind, inspect.UnionType):
        return next((found for each in kind.types if (found := _fields(each, path))), [])
    if isinstance(kind, inspect.VarTupleType) and path:
        return _fields(kind.item_type, path[1:])
    if not isinstance(kind, inspect.StructType):
        return []
    if not path:
        return sorted(each.encode_name for each in kind.fields)
    return next((_fields(each.type, path[1:]) for each in kind.fields if each.encode_name == path[0]), [])


def _leave_out(document: Any, path: Path, left_out: "Counter[Path]") -> bool:
    """Takes the thing at `path` out of the document; whether it was found. Of a key without a name: its table."""
    *way, last = path
    if last == "...":
        return bool(way) and _leave_out(document, tuple(way), left_out)
    for step in way:
        document = document[int(step) if isinstance(document, list) else step]
    if isinstance(document, list):
        left_out[tuple(way)] += 1
        del document[int(last)]
        return True
    return document.pop(last, None) is not None


def _key(path: Path, left_out: "Counter[Path]") -> str:
    """The path as people write it, positions as they are in the document as it was."""
    key = ""
    for position, step in enumerate(path):
        if step.isdecimal():
            key += f"[{int(step) + left_out[path[:position]]}]"
        elif step != "...":  # a key that msgspec does not name
            key += f".{step}" if key else step
    return key or "the file"
