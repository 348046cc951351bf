"""The page of messages: complete, up to date, and each message with a cause and an action."""

import re
from pathlib import Path

from bansho.contract.catalogue import NONE, SOURCE, Entry, entries, markdown

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
MODULE = '''
class Away(BanshoError):
    """Raised when it is away.

    Action: call
    it back.
    """

    id = "BSHO0001-E"
    text = "{name} is away"


class Gone(BanshoError):
    """Raised when it is gone."""

    id = "BSHO0002-E"
    text = "{name} is gone; look for it"


BACK = Message("BSHO0003-I", "{name} is back")
"""It came back."""
LATE = Message("BSHO0004-W", "late")
'''


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == markdown(entries()), "run scripts/docs"


def test_each_message_has_a_cause_and_an_action() -> None:
    lacking = [entry.id for entry in entries() if not entry.cause or not entry.action]
    assert lacking == [], "say it in the docstring: Raised when ..., and a paragraph Action: ..."


def test_no_message_is_missed() -> None:
    named = {found for path in SOURCE.rglob("*.py") for found in re.findall(r'"(BSHO\d{4}-[IWE])"', path.read_text())}
    assert named - {"BSHO0000-E"} == {entry.id for entry in entries()}


def test_where_cause_and_action_are_found(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(MODULE)
    assert entries(tmp_path) == [
        Entry("BSHO0001-E", "{name} is away", "It is away.", "Call it back."),
        Entry("BSHO0002-E", "{name} is gone; look for it", "It is gone.", "Look for it."),
        Entry("BSHO0003-I", "{name} is back", "It came back.", NONE),
        Entry("BSHO0004-W", "late", "", ""),
    ]
