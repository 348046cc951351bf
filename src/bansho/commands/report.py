"""How a command answers: lines for a person, or with `--json` the same as one object on stdout."""

import json
import sys
from typing import Any


class Report:
    """Collects what a command has to say. Messages go to stderr at once; with `--json` they are in the object too."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._messages: list[str] = []

    def message(self, line: object) -> None:
        """A message with its id, to stderr."""
        self._messages.append(str(line))
        print(line, file=sys.stderr, flush=True)

    def finish(self, value: int, line: str = "", /, **facts: Any) -> None:
        """Answers on stdout - `line` for a person, or the facts - and ends the command with `value`."""
        if self._as_json:
            print(json.dumps({"return": value, **facts, "text": line, "messages": self._messages}))
        elif line:
            print(line)
        sys.stdout.flush()
        raise SystemExit(value)
