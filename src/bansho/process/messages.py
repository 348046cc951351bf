"""What process management has to say that is no error."""

from bansho.contract.messages import Message

START_SETTLED = Message("BSHO2101-I", "start of {suite} on {host} is over: {text}")
START_INCOMPLETE = Message("BSHO2102-W", "start of {suite} on {host} is over, and not all of it runs: {text}")
START_UNDER_WAY = Message(
    "BSHO2103-W", "start of {suite} on {host} is still under way after {limit:g} s and goes on; outstanding: {what}"
)
STOP_SETTLED = Message("BSHO2104-I", "{suite} on {host} is stopped")
STOP_UNDER_WAY = Message(
    "BSHO2105-W", "stop of {suite} on {host} is still under way after {limit:g} s and goes on; outstanding: {what}"
)
PROGRESS = Message("BSHO2106-I", "{what}")
NOTHING_LEFT = Message("BSHO2107-I", "nothing of {suite} on {host} is left")
SURVIVED = Message("BSHO2108-E", "pid {pid} ({program}) of {suite} on {host} survived: {why}")
HOLDER = Message("BSHO2109-W", "pid {pid} ({program}) holds {path} open and is none of {suite}'s; it was left alone")
LEASE_KEPT = Message("BSHO2110-W", "the lease of {host} was not given back: {reason}")
RELOADED = Message("BSHO2111-I", "the process definition of {suite} on {host} was read again: {text}")
SERVICE_ENDED = Message("BSHO2112-E", "service {service} of {suite} on {host} ended abnormally{status}")
SERVICE_LATE = Message(
    "BSHO2113-E", "service {service} of {suite} on {host} has not reported that it is ready within {limit:g} s{status}"
)
SERVICE_RESTARTED = Message(
    "BSHO2114-I", "service {service} of {suite} on {host} is ready again after restart {restarts}{status}"
)
NO_ANSWER = "the process manager has not answered for {seconds:.1f} s"
