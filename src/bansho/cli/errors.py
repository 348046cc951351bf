"""What can be wrong with a call of `bansho`."""

from bansho.contract.messages import BanshoError, Message


class DiskNotMounted(BanshoError):
    """Raised when a shared directory is to be set up and its disk is not mounted here."""

    id = "BSHO9011-E"
    text = "logical host {name}: nothing is mounted at {path}; mount {device} there first (only while no node runs it)"


class UnknownUser(BanshoError):
    """Raised when a definition names a user that this node does not have."""

    id = "BSHO9012-E"
    text = (
        "logical host {name}: user {user!r} does not exist on this node; create it, with the same number on every node"
    )


class NotUp(BanshoError):
    """Raised when a suite did not come up."""

    id = "BSHO9013-E"
    text = "logical host {name}: {suite} did not come up: {status}; look into {log}"


class NotADefinition(BanshoError):
    """Raised when a file to check does not exist.

    Action: correct the file's name.
    """

    id = "BSHO9014-E"
    text = "{path}: expected a definition; there is no such file"


class UnknownFile(BanshoError):
    """Raised when a file to check or to import is none that we know, by its name."""

    id = "BSHO9017-E"
    text = "{path}: expected one of these names: {names}; give it its original's name"


class CannotRead(BanshoError):
    """Raised when a file that was named cannot be read, or is too large for a definition."""

    id = "BSHO9018-E"
    text = "{path}: cannot be read ({reason}); check its name, and the right to read it"


class CannotWrite(BanshoError):
    """Raised when a file that was asked for exists already or cannot be written."""

    id = "BSHO9019-E"
    text = "{path}: cannot be written ({reason}); choose another place, or remove what is there"


class SystemRefused(BanshoError):
    """Raised when the system refuses what a command needs: a folder that cannot be made, a file that cannot be read."""

    id = "BSHO9020-E"
    text = "{path}: {reason}; look at its permissions and its file system, and try again"


class UpAlready(BanshoError):
    """Raised when a logical host is to be run in the foreground and runs already."""

    id = "BSHO9021-E"
    text = "logical host {name} runs already: {status}; stop it first, or use the one that runs"


class UnsafeFolder(BanshoError):
    """Raised when a folder for run-time state belongs to somebody else, or others may write to it."""

    id = "BSHO9022-E"
    text = "{path}: expected a folder of this user's own with mode 0700; remove it, or name another one in BANSHO_RUN"


class PortTaken(BanshoError):
    """Raised when the console cannot be shown at a port of this machine."""

    id = "BSHO9023-E"
    text = "port {port} of 127.0.0.1: {reason}; choose another one with --port"


class WrongUsage(BanshoError):
    """Raised when a command is called with arguments that it does not have; the exit code is 2."""

    id = "BSHO9024-E"
    text = "{problem}; expected: {usage}; see: {command} --help"


RUNS_AS_ROOT = Message(
    "BSHO9015-W",
    "the services run as root: user {user!r} cannot run {program};"
    " to change that, move the checkout out of a private folder",
)
"""Root starts the suites, and no other user can run the programs where they are."""
WROTE = Message("BSHO9016-I", "wrote {path}")
"""A file was written."""
