"""What can be wrong with how a command of the contract was called."""

from bansho.contract.messages import BanshoError


class WrongArguments(BanshoError):
    """Raised when a command's arguments are missing, unknown or malformed."""

    id = "BSHO9001-E"
    text = "{program}: {problem}; see {program} --help"


class UnknownSuite(BanshoError):
    """Raised when a command is for a suite that the logical host does not run.

    Action: add the suite to `suites` in the definition, or use the other suite's command.
    """

    id = "BSHO9002-E"
    text = "logical host {name}: it runs no suite {suite!r}; expected it among suites in {path}"
