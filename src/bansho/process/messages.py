"""What process management has to say that is no error."""

from bansho.contract.messages import Message

START_SETTLED = Message("BSHO2101-I", "start of {suite} on {host} is over: {text}")
"""A start is over and all required services are ready."""
START_INCOMPLETE = Message("BSHO2102-W", "start of {suite} on {host} is over, and not all of it runs: {text}")
"""A start is over: nothing is under way any more, and some required services are not running.

Action: read the logs of the services that it names; the status command says how the suite stands.
"""
START_UNDER_WAY = Message(
    "BSHO2103-W", "start of {suite} on {host} is still under way after {limit:g} s and goes on; outstanding: {what}"
)
"""The start command's time is over and the start is not; it goes on.

Action: ask the status command; raise limits.start where the suite always needs longer.
"""
STOP_SETTLED = Message("BSHO2104-I", "{suite} on {host} is stopped")
"""A stop is over: nothing of the suite runs."""
STOP_UNDER_WAY = Message(
    "BSHO2105-W", "stop of {suite} on {host} is still under way after {limit:g} s and goes on; outstanding: {what}"
)
"""The stop command's time is over and the stop is not; it goes on.

Action: ask the status command until it says 8; end what hangs with the killall command.
"""
PROGRESS = Message("BSHO2106-I", "{what}")
"""A start or a stop goes on: a service has changed its state."""
NOTHING_LEFT = Message("BSHO2107-I", "nothing of {suite} on {host} is left")
"""Forced termination has ended and proved that nothing is left."""
SURVIVED = Message("BSHO2108-E", "pid {pid} ({program}) of {suite} on {host} survived: {why}")
"""A process outlived forced termination; the message says why, for example because it hangs in the kernel.

Action: do not release the shared disk; remove what it waits for, or have the cluster fence the node.
"""
HOLDER = Message("BSHO2109-W", "pid {pid} ({program}) holds {path} open and is none of {suite}'s; it was left alone")
"""A process that is none of the suite's holds a file on the shared disk open, for example an operator's shell.

Action: end it, or leave its folder, before the disk is to be released.
"""
LEASE_KEPT = Message("BSHO2110-W", "the lease of {host} was not given back: {reason}")
"""A stopped suite's process manager could not give the lease back; the next owner waits until it is old.

Action: look at the shared disk.
"""
RELOADED = Message("BSHO2111-I", "the process definition of {suite} on {host} was read again: {text}")
"""The process definition was read again and applied."""
CHANGED = Message("BSHO2115-I", "{suite} on {host}: {what}, at once")
"""The process definition was read again, and this of it counts from now on."""
CHANGES_LATER = Message("BSHO2116-W", "{suite} on {host}: {what}; that counts from its next start on")
"""The process definition was read again, and the running service goes on by what it was started with.

Action: stop the suite and start it again, by the cluster software where that is in charge, when it suits.
"""
UNCHANGED = Message("BSHO2117-I", "{suite} on {host}: nothing in the process definition has changed")
"""The process definition was read again; every service runs by it already."""
PRIORITY_REFUSED = Message(
    "BSHO2118-W",
    "the process manager of {suite} on {host} runs with niceness {nice} and not with {wanted}: its user may not have"
    " that; on a busy node its beat may come late",
)
"""The process manager could not raise its priority; it stands in its own log.

Action: start the suite as root, or let its user have that niceness (RLIMIT_NICE, the item nice of limits.conf).
"""
SERVICE_ENDED = Message("BSHO2112-E", "service {service} of {suite} on {host} ended abnormally{status}")
"""A service has ended and nobody had asked it to; event 3F90.

Action: read its log and remove the reason; on a logical host the cluster restarts or fails over.
"""
SERVICE_LATE = Message(
    "BSHO2113-E", "service {service} of {suite} on {host} has not reported that it is ready within {limit:g} s{status}"
)
"""A service has not reported READY=1 within its start limit; it is left alone; event 3F91.

Action: read its log; raise its start-limit where it always needs longer.
"""
SERVICE_RESTARTED = Message(
    "BSHO2114-I", "service {service} of {suite} on {host} is ready again after restart {restarts}{status}"
)
"""A service of a physical host that had ended abnormally was restarted and is ready; event 3F92."""
NO_ANSWER = "the process manager has not answered for {seconds:.1f} s"
