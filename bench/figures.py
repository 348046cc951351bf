"""The figures of a measurement, as a table for people and as one JSON object, and beside them the budgets they meet."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

Rows = list[dict[str, Any]]


class Budget(NamedTuple):
    """What a figure must be: at most `limit`, or at least."""

    what: str
    measured: float
    limit: float
    unit: str
    """With its peer: "ms", "x s6-svstat"."""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def __str__(self) -> str:
        bound = f"{'>=' if self.at_least else '<='} {self.limit:g} {self.unit}"
        return f"{self.what:52}{self.measured:>12,.2f}  {bound:32}{'met' if self.met else 'MISSED'}"


def argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--json`."""
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there too; -: print nothing else")


def finish(rows: Rows, budgets: list[Budget], place: Path | None) -> None:
    """Prints the budgets, or the JSON object alone where `place` is "-"; else writes that to `place`."""
    found = json.dumps({"rows": rows, "budgets": [{**each._asdict(), "met": each.met} for each in budgets]}, indent=2)
    if place == Path("-"):
        print(found)
        return
    if place:
        place.write_text(found + "\n")
    say(place, "", *budgets)


def say(place: Path | None, *lines: object) -> None:
    """Prints lines for a person, unless the JSON object is all that is wanted."""
    for line in lines if place != Path("-") else ():
        print(line, flush=True)


def main() -> None:
    """Prints the budgets of the JSON files that are named: `python -m bench.figures FILE...`."""
    for name in sys.argv[1:]:
        for each in json.loads(Path(name).read_text())["budgets"]:
            del each["met"]
            print(Budget(**each))


if __name__ == "__main__":
    main()
