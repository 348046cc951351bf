"""What the event console cannot do, each with its HTTP status where a browser or a program may meet it."""

from typing import ClassVar

from bansho.contract.messages import BanshoError


class ConsoleError(BanshoError):
    """Raised when a request cannot be answered; `status` is the HTTP status of the answer."""

    status: ClassVar[int] = 500


class NotLoggedIn(ConsoleError):
    """Raised when a request needs an account and shows none, or one that expired.

    Action: log in at /login, or send an account with HTTP Basic authentication.
    """

    id = "BSHO5101-E"
    status = 401
    text = "nobody is logged in: log in at /login, or send an account with HTTP Basic authentication"


class WrongPassword(ConsoleError):
    """Raised when an account does not exist or its password is another one; which of the two is not told."""

    id = "BSHO5102-E"
    status = 401
    text = "name or password is wrong: check both; an administrator sets a new one with: bansho account password NAME"


class TooManyFailures(ConsoleError):
    """Raised when log-ins failed too often from one place; `seconds` says for how long none is tried."""

    id = "BSHO5103-E"
    status = 429
    text = "too many failed log-ins: expected a pause of {seconds} s; wait and try again"


class ForgedForm(ConsoleError):
    """Raised when a form comes without the token that the console gave to this browser.

    Action: load the page again and repeat.
    """

    id = "BSHO5104-E"
    status = 403
    text = "this form is not from this console or too old: load the page again and repeat"


class MalformedFilter(ConsoleError):
    """Raised when a filter's parameter is not what it should be.

    Action: correct the filter.
    """

    id = "BSHO5105-E"
    status = 400
    text = "filter {name}={value!r}: expected {expected}"


class UnknownEvent(ConsoleError):
    """Raised when the IM database holds no event of a serial number.

    Action: look for it in the list of events; one that has just been sent arrives within a second.
    """

    id = "BSHO5106-E"
    status = 404
    text = "event {serial}: not in the IM database; it was removed, or has not arrived yet"


class UnknownPage(ConsoleError):
    """Raised when there is nothing at a path."""

    id = "BSHO5107-E"
    status = 404
    text = "{path}: there is no such page; go back to the list of events"


class DatabaseAway(ConsoleError):
    """Raised when the IM database gives no connection, or breaks it."""

    id = "BSHO5108-E"
    status = 503
    text = "the IM database does not answer: it starts, recovers or is stopped; no event is lost, try again soon"


class QueryTooLong(ConsoleError):
    """Raised when a filter needed more time than one request may have."""

    id = "BSHO5109-E"
    status = 504
    text = "the search took longer than {seconds} s: expected a narrower one; add a severity or a source server"


class InternalError(ConsoleError):
    """Raised when the console itself is at fault; the log holds the rest."""

    id = "BSHO5110-E"
    status = 500
    text = "the console failed at this request; its log says why: look for {path}"


class WrongMethod(ConsoleError):
    """Raised when a path is asked with a method that it does not have.

    Action: ask with a method that /api/v1/openapi.json lists for the path.
    """

    id = "BSHO5111-E"
    status = 405
    text = "{method} {path}: expected another method; /api/v1/openapi.json lists them"


class RequestTooLarge(ConsoleError):
    """Raised when a form is larger than any form of the console.

    Action: send less; the forms of the console are smaller.
    """

    id = "BSHO5112-E"
    status = 413
    text = "the request is larger than {limit} bytes: expected a form of this console"


class AddressTaken(BanshoError):
    """Raised when the console cannot listen on its address and port."""

    id = "BSHO5113-E"
    text = (
        "logical host {name}: cannot listen on {address} port {port} ({reason});"
        " stop what uses the port, or set ports.console in {path}"
    )


class NoHostNamed(BanshoError):
    """Raised when a service of Manager is started without a logical host."""

    id = "BSHO5114-E"
    text = (
        "BANSHO_HOST is not set: expected a logical host's name; the process manager sets it, start the suite instead"
    )


class BadAccountName(BanshoError):
    """Raised when an account's name is empty, too long or has other characters.

    Action: choose a name of that form.
    """

    id = "BSHO5115-E"
    text = "account name {name!r}: expected 1 to 64 letters, digits, '.', '_', '@' and '-', beginning with a letter"


class AccountExists(BanshoError):
    """Raised when an account is created twice."""

    id = "BSHO5116-E"
    text = "account {name}: exists already; for a new password use: bansho account password {name}"


class UnknownAccount(BanshoError):
    """Raised when an account is changed that does not exist."""

    id = "BSHO5117-E"
    text = "account {name}: does not exist; see: bansho account list"


class AccountsDamaged(BanshoError):
    """Raised when the file of accounts is not what the console wrote."""

    id = "BSHO5118-E"
    text = "{path}: damaged ({reason}); restore it, or remove it and create the accounts again"


class SessionKeyAbsent(BanshoError):
    """Raised when the key that signs sessions is missing, too short or not readable."""

    id = "BSHO5119-E"
    text = "{path}: expected the key that signs sessions ({reason}); make it with: bansho setup {name}"


class AccountsUnwritable(BanshoError):
    """Raised when the accounts cannot be written: not mounted here, or not this user's."""

    id = "BSHO5120-E"
    text = "{path}: cannot be written ({reason}); run this on the active server, as root or the logical host's user"


class BadPassword(BanshoError):
    """Raised when a password is too short or too long.

    Action: choose a password of that length.
    """

    id = "BSHO5121-E"
    text = "password of account {name}: expected {least} to {most} characters"


class AccountsUnreadable(BanshoError):
    """Raised when the accounts cannot be read."""

    id = "BSHO5122-E"
    text = "{path}: cannot be read ({reason}); run this on the active server, as root or the logical host's user"
