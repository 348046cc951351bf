"""What speaks against a drill on a cluster, and what it says when it could not give everything back."""

from bansho.contract.messages import BanshoError, Message


class NotFit(BanshoError):
    """Raised when a cluster must not be drilled now: a fault on top of what it says could become an outage.

    Action: mend each reason; `bansho doctor` and `bansho cluster status` say more.
    """

    id = "BSHO8021-E"
    text = "no drill of logical host {name} from {node}: {reasons}; nothing was done"


class NoLongerFit(BanshoError):
    """Raised when a cluster is not well after a round: the next one would be a fault on top of that.

    Action: mend each reason. The report has the rounds that were done, and what they changed is given back.
    """

    id = "BSHO8026-E"
    text = "no further drill of logical host {name} from {node}; rounds done: {rounds}; now: {reasons}"


class Unconfirmed(BanshoError):
    """Raised when the plan of a drill on a cluster was shown and not agreed to.

    Action: read the plan; give the same command with --yes, in a maintenance window.
    """

    id = "BSHO8022-E"
    text = "logical host {name}: this is the plan, and nothing was done; to do it, give the same command with --yes"


class NeedsFlag(BanshoError):
    """Raised when a fault was asked for that needs a flag of its own.

    Action: give the flag, if the fault is really meant.
    """

    id = "BSHO8023-E"
    text = "fault {name!r} needs {flag}: {what}"


class NoPlace(BanshoError):
    """Raised when a fault has no node that it may strike.

    Action: free a node of everything else, or leave the fault out.
    """

    id = "BSHO8024-E"
    text = "{fault}: no other node is online that carries nothing but fencing; the nodes: {nodes}"


class NotAsAnnounced(BanshoError):
    """Raised when a node must not be reset: the logical host is not on it, or does not have it for itself any more.

    Action: see whether a location constraint draws it, or something else, elsewhere; or leave the fault out.
    """

    id = "BSHO8027-E"
    text = "{node} was announced to be reset, with the logical host alone on it; now {found}; no node was reset"


NOT_UNDONE = Message("BSHO8025-W", "logical host {name}: could not be given back: {what}; by hand: {todo}")
"""Something that a drill on a cluster changed is still changed.

Action: do what it says.
"""
