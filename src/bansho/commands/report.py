"""How a command answers: lines for a person, or with `--json` the same as one object on stdout."""

import json
import os
import sys
from typing import Any, NoReturn, TextIO


def say(line: object, stream: TextIO | None) -> None:
    """A line, where somebody can hear it: a stream that is closed, broken or full changes no return value."""
    if stream is None:
        return
    try:
        print(line, file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # or the interpreter's end tries once more


class Report:
    """Collects what a command has to say. Messages go to stderr at once; with `--json` they are in the object too."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._messages: list[str] = []

    def message(self, line: object) -> None:
        """A message with its id, to stderr."""
        self._messages.append(str(line))
        say(line, sys.stderr)

    def finish(self, value: int, line: str = "", /, **facts: Any) -> NoReturn:
        """Answers on stdout - `line` for a person, or the facts - and ends the command with `value`."""
        if self._as_json:
            say(json.dumps({"return": value, **facts, "text": line, "messages": self._messages}), sys.stdout)
        elif line:
            say(line, sys.stdout)
        raise SystemExit(value)
