"""What can be wrong with an event that arrives."""

from bansho.contract.messages import BanshoError


class MalformedJson(BanshoError):
    """Raised when what should be an event, or an array of events, is not JSON at all."""

    id = "BSHO4001-E"
    text = "expected JSON in UTF-8: {reason}"


class MalformedEvent(BanshoError):
    """Raised when a member of an event is missing, unknown, of a wrong type or beyond its limit."""

    id = "BSHO4002-E"
    text = "malformed event: {member}: {problem}"
