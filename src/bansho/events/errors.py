"""What can be wrong with an event. Plain errors: whoever takes events in gives them a message id and an answer."""


class MalformedJson(ValueError):
    """Raised when what should be an event, or an array of events, is not JSON at all."""


class MalformedEvent(ValueError):
    """Raised when a member of an event is missing, unknown, of a wrong type or beyond its limit.

    `str(error)` is one line: the member (in a batch after its event's index), and what was expected.
    """

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member}: {problem}".replace("\n", " "))
