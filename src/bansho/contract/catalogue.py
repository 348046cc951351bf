"""`docs/messages.md`: every message with its cause and action, from the source's text; `scripts/docs` writes it.

An error's cause is its docstring's "Raised when ...", a `Message`'s is the docstring below it. The action is the
docstring's paragraph "Action: ..."; without one, what follows the last semicolon of the text: most errors say it there.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

SOURCE = Path(__file__).parents[1]
PARTS = {
    "1": "Logical host",
    "2": "Process management",
    "3": "IM database",
    "4": "Base: events and the event service",
    "5": "Manager: event base and event console",
    "6": "Cluster software",
    "7": "Lab",
    "8": "Drill",
    "9": "Commands",
}
NONE = "None is needed."

PREAMBLE = """# Messages

Written by `scripts/docs` from the source; change it there. Each message begins with its id, `BSHOnnnn-S`: S is I
(information), W (warning) or E (error). An id never changes its meaning. Braces stand for what a message names.
"""


class Entry(NamedTuple):
    """One message."""

    id: str
    text: str
    cause: str
    action: str
    """Empty where neither docstring nor text say what to do."""


def entries(source: Path = SOURCE) -> list[Entry]:
    """Every message that the source defines, by number."""
    found = (entry for path in source.rglob("*.py") for entry in _of_module(ast.parse(path.read_text("utf-8"))))
    return sorted(found, key=lambda entry: entry.id)


def markdown(found: Iterable[Entry]) -> str:
    """The whole page."""
    lines, part = [PREAMBLE], ""
    for entry in found:
        if entry.id[4] != part:
            part = entry.id[4]
            lines.append(f"## {PARTS[part]}\n")
        lines.append(f"### {entry.id}\n\n`{entry.text}`\n\n- **Cause:** {entry.cause}\n- **Action:** {entry.action}\n")
    return "\n".join(lines)


def _of_module(module: ast.Module) -> Iterator[Entry]:
    for node, following in zip(module.body, [*module.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef):
            texts = dict(_texts(node))
            if {"id", "text"} <= texts.keys():
                yield _entry(texts["id"], texts["text"], ast.get_docstring(node) or "")
        elif isinstance(node, ast.Assign) and _is_message(node.value):
            id, text = (ast.literal_eval(argument) for argument in node.value.args)  # noqa: A001 - the field's own word
            yield _entry(id, text, _docstring(following))


def _is_message(value: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Message"


def _texts(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The class's attributes that are plain text."""
    for each in node.body:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text


def _docstring(node: ast.stmt | None) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
    return ""


def _entry(id: str, text: str, docstring: str) -> Entry:  # noqa: A002 - the field's own word
    cause, _, action = (" ".join(part.split()) for part in docstring.partition("Action:"))
    cause = re.sub(r"^Raised when ", "", cause)
    if not action and not id.endswith("I"):
        action = text.rpartition("; ")[2] if "; " in text else ""
    return Entry(id, text, _sentence(cause), _sentence(action) or (NONE if id.endswith("I") else ""))


def _sentence(text: str) -> str:
    return text and text[0].upper() + text[1:].rstrip(".") + "."


if __name__ == "__main__":
    print(markdown(entries()), end="")
