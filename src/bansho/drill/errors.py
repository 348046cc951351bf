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
