"""Messages with stable ids, and the base of every error.

An id is `BSHOnnnn-S`: S is I (information), W (warning) or E (error). The first digit names the part:
1 logicalhost, 2 process, 3 database, 4 events and base, 5 manager, 6 cluster, 7 lab, 8 drill, 9 commands and cli.
An id never changes its meaning and is never used again.
"""

from typing import ClassVar


class BanshoError(Exception):
    """Raised when something that was asked for cannot be done; each kind is a class of its own, with one sentence.

    A subclass sets `id` and `text`. `text` is a format string whose fields are the keywords of the constructor; it
    names the thing, what was expected and what to do. `str(error)` is the id and the filled text, on one line.
    """

    id: ClassVar[str] = "BSHO0000-E"
    text: ClassVar[str] = "{reason}"

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(f"{self.id} {self.text.format(**facts)}".replace("\n", " "))


class Message:
    """A message that is not an error: `START_UNDER_WAY(service="x")` gives its one line."""

    def __init__(self, id: str, text: str) -> None:  # noqa: A002 - the field's own word
        self.id = id
        self.text = text

    def __call__(self, **facts: object) -> str:
        """The id and the filled text, on one line."""
        return f"{self.id} {self.text.format(**facts)}".replace("\n", " ")
