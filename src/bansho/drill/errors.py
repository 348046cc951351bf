"""What can go wrong in a drill."""

from bansho.contract.messages import BanshoError


class StepFailed(BanshoError):
    """Raised when a command of the drill's own preparation ended with an error.

    Action: remove the reason that it names, and run the drill again.
    """

    id = "BSHO8001-E"
    text = "{step}: {command} ended with {value} on {node}: {reason}"


class NotReached(BanshoError):
    """Raised when a state that the drill waits for did not come within its limit.

    Action: look at the state that it names; the drill's report has what came before.
    """

    id = "BSHO8002-E"
    text = "waited {limit:g} s for {what}; now: {state}"


class UnknownFault(BanshoError):
    """Raised when a campaign names a fault, or a group of faults, that there is not.

    Action: name one of those listed.
    """

    id = "BSHO8003-E"
    text = "fault {name!r}: expected one of {names}"


class UnfitFault(BanshoError):
    """Raised when a fault is named that cannot be struck here, or a group of which none can.

    Action: give what it needs, or leave it out.
    """

    id = "BSHO8011-E"
    text = "fault {name!r} cannot be struck here: {reason}"


class NoTarget(BanshoError):
    """Raised when what a fault should strike is not there.

    Action: look at the node; the logical host should have been all running there.
    """

    id = "BSHO8004-E"
    text = "{what} does not run on {node}; nothing to strike"


class NoReport(BanshoError):
    """Raised when a file that should be a drill's report is not there, or is something else.

    Action: name a `report.json` that `bansho drill run`, `compare` or `endure` has written.
    """

    id = "BSHO8005-E"
    text = "{path}: expected the JSON report of a drill: {reason}"


class OnACluster(BanshoError):
    """Raised when the report of a drill on a user's own cluster is given to what concerns a lab's campaigns.

    Action: read its report.html; for further rounds call `bansho drill run --on-this-cluster` again.
    """

    id = "BSHO8028-E"
    text = (
        "{path} is of a drill on a cluster of one's own: nothing to go on with in a lab, or to add to a lab's figures"
    )


class ReportExists(BanshoError):
    """Raised when a drill is to write its report where another one's is: that one would be lost.

    Action: do what it says.
    """

    id = "BSHO8012-E"
    text = "{path}: a report is there already; {todo}"


class Blind(BanshoError):
    """Raised when what looks at a round all the time ended or stood still, so that nobody knows what it missed.

    Action: look at the machine's load and the traceback beside the report; run the round again.
    """

    id = "BSHO8006-E"
    text = "{observer} {what}; what it should have seen is not known"


class Overdue(BanshoError):
    """Raised when a round did not come to its end: something in it has no limit of its own and hangs.

    Action: see in the traceback beside the report what it waited for.
    """

    id = "BSHO8007-E"
    text = "{what} did not come to its end within {limit:g} s"
