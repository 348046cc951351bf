"""What can go wrong in Base, and what HTTP calls it (`STATUS`)."""

from bansho.contract.messages import BanshoError


class NotJson(BanshoError):
    """Raised when a request's body is not JSON.

    Action: correct the sender: the body has to be one JSON document in UTF-8.
    """

    id = "BSHO4001-E"
    text = "expected JSON in UTF-8: {reason}"


class BadEvent(BanshoError):
    """Raised when a member of an event is missing, unknown, of a wrong type or beyond its limit.

    Action: correct the sender; docs/event.md lists the members and their limits.
    """

    id = "BSHO4002-E"
    text = "malformed event: {problem}"


class CannotListen(BanshoError):
    """Raised when the event service's address and port cannot be had.

    Action: stop what uses the port or set ports.event-service; an address that is missing is the cluster's to set.
    """

    id = "BSHO4010-E"
    text = "event service: cannot listen on {address} port {port}: {reason}"


class StoreHeld(BanshoError):
    """Raised when another process has the event store open for writing."""

    id = "BSHO4011-E"
    text = "event store {path}: process {pid} has it open; expected one event service, stop the other one first"


class StoreUnusable(BanshoError):
    """Raised when the event store cannot be opened: no right to it, damaged, or written by a newer bansho."""

    id = "BSHO4012-E"
    text = "event store {path}: cannot be opened ({reason}); repair it or restore it from a copy"


class Unauthenticated(BanshoError):
    """Raised when a request brings no token, or one that is not known."""

    id = "BSHO4020-E"
    text = (
        "expected a known token as 'Authorization: Bearer TOKEN'; make one with: bansho token create NAME --host {host}"
    )


class Forbidden(BanshoError):
    """Raised when a token's scope is not the one that a request needs.

    Action: use a token of the other scope; make one with: bansho token create NAME --scope SCOPE.
    """

    id = "BSHO4021-E"
    text = "token {name!r} has the scope {scope!r}: this request needs {needed!r}"


class NoSuchResource(BanshoError):
    """Raised when a request names a path or a method that the event service does not have.

    Action: correct the client; docs/house.md lists the requests.
    """

    id = "BSHO4022-E"
    text = "{method} {path}: {reason}"


class TooLarge(BanshoError):
    """Raised when a request's body, or a batch, is beyond its limit.

    Action: send less in one request.
    """

    id = "BSHO4023-E"
    text = "expected at most {limit:,} {unit} in this request"


class BadParameter(BanshoError):
    """Raised when a parameter of the query is unknown, of a wrong type or out of its range.

    Action: correct the query; docs/house.md lists the parameters.
    """

    id = "BSHO4024-E"
    text = "query: {problem}"


class Busy(BanshoError):
    """Raised when too many events wait to be written, or the service is ending; the sender tries again.

    Action: none for jevsend, which keeps the event; another sender sends it again after a moment.
    """

    id = "BSHO4025-E"
    text = "the event service takes no event in at the moment ({reason}); send it again"


class NoSpace(BanshoError):
    """Raised when the disk is full. What was acknowledged is kept; the service goes on when there is space.

    Action: make space on the shared disk; senders then send again.
    """

    id = "BSHO4026-E"
    text = "event store {path}: no space left; the event was not registered, make space and send it again"


class StoreFailed(BanshoError):
    """Raised when the event store cannot be written or read for another reason than space.

    Action: look at the shared disk; senders send again.
    """

    id = "BSHO4027-E"
    text = "event store {path}: {reason}; the event was not registered, send it again"


class TokensUnreadable(BanshoError):
    """Raised when the file of tokens is there and cannot be read as that, or its disk is away."""

    id = "BSHO4028-E"
    text = (
        "{path}: expected the tokens that 'bansho token' wrote ({reason}); restore it, or remove it and make new ones"
    )


class BadTokenName(BanshoError):
    """Raised when a new token's name is not a plain name.

    Action: choose a name of that form.
    """

    id = "BSHO4029-E"
    text = "token name {name!r}: expected 1 to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit"


class TokenExists(BanshoError):
    """Raised when a token of that name exists already."""

    id = "BSHO4030-E"
    text = "token {name!r} exists already; choose another name, or revoke it first"


class UnknownToken(BanshoError):
    """Raised when a token to revoke does not exist."""

    id = "BSHO4031-E"
    text = "token {name!r}: there is none of that name; see: bansho token list --host {host}"


class ServiceAway(BanshoError):
    """Raised when an event service cannot be reached or takes nothing in now; the event stays in the spool.

    Action: none where the service comes back by itself: the next jevsend sends it too. Else start Base.
    """

    id = "BSHO4040-E"
    text = "event service {target}: {reason}; not registered yet, kept in {spool}: jevsend --flush sends it"


class NotPermitted(BanshoError):
    """Raised when an event service does not accept the sender's token; the event stays in the spool.

    Action: give the sender a known token with the scope send, then: jevsend --flush.
    """

    id = "BSHO4041-E"
    text = (
        "event service {target}: {reason}; not registered, kept in {spool}: jevsend --flush sends it with a right token"
    )


class Refused(BanshoError):
    """Raised when an event service will never take an event: it is malformed or too large. It leaves the spool.

    Action: correct what sends such events, and send this one anew.
    """

    id = "BSHO4042-E"
    text = "event service {target} refused event {serial}: {reason}; it is not kept"


class CannotSpool(BanshoError):
    """Raised when an event cannot be written to the spool, so that it was not sent either.

    Action: make space in the spool, or give this user one that it can write to (BANSHO_SPOOL); then send it again.
    """

    id = "BSHO4043-E"
    text = "spool {spool}: {reason}; the event was not sent, give this user a spool it can write to (BANSHO_SPOOL)"


class NoTokenFile(BanshoError):
    """Raised when the file that should hold a sender's token cannot be read."""

    id = "BSHO4044-E"
    text = "token file {path}: {reason}; give one with --token-file, or the token itself in BANSHO_TOKEN"


STATUS: dict[type[BanshoError], int] = {
    NotJson: 400,
    BadParameter: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NoSuchResource: 404,
    TooLarge: 413,
    BadEvent: 422,
    NoSpace: 507,
}
"""Error -> HTTP status. What is not listed keeps the service from taking events in: 503."""
