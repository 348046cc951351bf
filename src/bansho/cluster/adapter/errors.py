"""What can be wrong when a logical host is rendered for a cluster product, or driven by a rendered script."""

from bansho.cluster.errors import AgentError
from bansho.contract.messages import BanshoError, Message


class WrongCall(BanshoError):
    """Raised when a rendered script is called with something else than an action and at most one suite.

    Action: call it with one of the actions that it lists.
    """

    id = "BSHO6101-E"
    text = "{call!r}: expected an action and, at most, a suite; the actions are {actions}"


class UnknownSuite(BanshoError):
    """Raised when a rendered script is told a suite that the logical host does not have.

    Action: write the scripts again from the definition, or correct the call.
    """

    id = "BSHO6102-E"
    text = "logical host {name} has no suite {suite!r}: expected one of {suites}"


class HalfRunning(BanshoError):
    """Raised when one suite of a logical host runs and another has stopped.

    Action: none: the cluster product stops and restarts the whole. Read the log of the suite that stopped.
    """

    id = "BSHO6103-E"
    text = "logical host {host}: {stopped} has stopped while the rest runs"


class DiskNotTaken(AgentError):
    """Raised when the shared disk cannot be mounted within the time that another node needs to give it back.

    Action: make sure that no other node holds the disk, then start again.
    """

    id = "BSHO6104-E"
    text = "{device}: cannot be mounted at {directory}: {said}; does another node still hold it?"


class DiskNotReleased(AgentError):
    """Raised when the shared disk cannot be unmounted.

    Action: end what holds the disk.
    """

    id = "BSHO6105-E"
    text = "{directory}: cannot be unmounted: {said}; held by {holders}"


class NotPlain(BanshoError):
    """Raised when a value has a character that a product's files could read as something else.

    Action: change the value in the definition.
    """

    id = "BSHO6106-E"
    text = "{value!r} cannot stand in {product}'s files: expected letters, digits and any of _ . / : = , @ + -"


class CannotWrite(BanshoError):
    """Raised when a rendered file cannot be written."""

    id = "BSHO6107-E"
    text = "{path}: cannot be written ({reason}); choose another folder with --output"


class AddressUnknown(AgentError):
    """Raised when this node cannot tell whether it has the logical address; it then gives the logical host up.

    Action: install iproute2, or remove what keeps ip(8) from answering; then remove the file role/barred.
    """

    id = "BSHO6108-E"
    text = "{ip}: cannot tell whether this node has the address: ip address show: {said}"


BARRED = Message(
    "BSHO6111-W",
    "logical host {name}: a start or a stop had failed on this node; it stays barred for {seconds} s,"
    " or until somebody removes the file role/barred",
)
"""A start or a stop had failed on this node, so it does not offer itself for a while.

Action: remove what made it fail, then remove the file, or wait.
"""
WROTE = Message("BSHO6112-I", "wrote {path}")
"""A file of a cluster product was written."""
