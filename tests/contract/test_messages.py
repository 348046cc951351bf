"""Message ids: one meaning each, the right form, the right part's digit."""

import re
from collections import Counter
from pathlib import Path

import bansho

SOURCE = Path(bansho.__file__).parent
DEFINED = re.compile(r'(?:^    id = |Message\(\s*)"(BSHO\d{4}-[IWE])"', re.MULTILINE)
DIGITS = {
    "contract": "0",
    "logicalhost": "1",
    "process": "2",
    "database": "3",
    "events": "4",
    "base": "4",
    "manager": "5",
    "cluster": "6",
    "lab": "7",
    "drill": "8",
    "commands": "29",
    "cli": "9",
}


def defined() -> list[tuple[str, str]]:
    """(part, id) for each message that the source defines."""
    return [
        (path.relative_to(SOURCE).parts[0], found)
        for path in SOURCE.rglob("*.py")
        for found in DEFINED.findall(path.read_text())
    ]


def test_no_id_stands_twice() -> None:
    numbers = Counter(found[4:8] for _, found in defined())
    assert len(numbers) > 100
    assert [number for number, times in numbers.items() if times > 1] == []


def test_an_id_begins_with_its_parts_digit() -> None:
    assert [(part, found) for part, found in defined() if found[4] not in DIGITS[part]] == []
