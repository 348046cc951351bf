"""What can go wrong in a drill."""

from bansho.contract.messages import BanshoError


class StepFailed(BanshoError):
    """Raised when a command of the drill's own preparation ended with an error."""

    id = "BSHO8001-E"
    text = "{step}: {command} ended with {value} on {node}: {reason}"


class NotReached(BanshoError):
    """Raised when a state that the drill waits for did not come within its limit."""

    id = "BSHO8002-E"
    text = "waited {limit:g} s for {what}; now: {state}"
