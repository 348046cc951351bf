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


class SystemRefused(BanshoError):
    """Raised when the system refuses what a command needs: a folder that cannot be made, a file that cannot be read."""

    id = "BSHO9003-E"
    text = "{path}: {reason}; look at its permissions and its file system, and try again"


def of_system(error: OSError) -> SystemRefused:
    """An error of the system as one of ours."""
    return SystemRefused(path=error.filename or "the system", reason=error.strerror or str(error))
