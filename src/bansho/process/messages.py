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
LINGERING = Message("BSHO2140-W", "pid {pid} ({program}) of {suite} on {host} has not ended yet: {why}")
"""Forced termination waits for such a process a few seconds more; what still lives then has survived (BSHO2108-E).

Action: none yet; where it waits for a disk or a server that does not answer, see to that.
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
MANAGER_BEGAN = Message("BSHO2119-I", "the process manager of {suite} on {host} takes orders; its pid is {pid}")
"""A process manager has begun."""
START_REFUSED = Message("BSHO2120-E", "the start of {suite} on {host} was refused: {reason}")
"""A process manager found that its suite cannot be started, and ends; the start command says the same.

Action: as the reason says, which is an error with an id of its own.
"""
LEASE_HELD = Message("BSHO2121-I", "the lease of {host} is beaten again")
"""The shared directory answers again, and the lease is still this node's."""
LEASE_STALLED = Message("BSHO2122-W", "the lease of {host} cannot be beaten: its shared directory does not answer")
"""A process manager can neither read nor write the lease on the shared disk; after 5 s the status says so.

Action: look at the disk, and whether it is mounted.
"""
LEASE_LOST = Message("BSHO2123-E", "the lease of {host} was lost: its shared directory is another node's now")
"""Another node took the shared directory over while this one still had it.

Action: find out why the cluster did not fence this node, or did not stop the suite here first.
"""
KILLED_ALL = Message("BSHO2124-E", "every service of {suite} on {host} is killed: the lease was lost")
"""Two nodes must never write to one shared directory, so all services of the one that lost it are killed.

Action: as for BSHO2123-E.
"""
MANAGER_ENDS = Message("BSHO2125-I", "the process manager of {suite} on {host} ends")
"""A suite was stopped, and nothing is left for its process manager to do."""
SWEPT = Message("BSHO2126-I", "nothing is left of the services of {suite} on {host}")
"""After the last service has ended, every other process that the suite had started is killed."""
LEFT_BEHIND = Message("BSHO2139-E", "processes of {suite} on {host} outlived its stop, and SIGKILL: {survived}")
"""A suite's last service has ended, and processes that the suite had started cannot be ended.

Action: do not release the shared disk; remove what they wait for, or have the cluster fence the node.
"""
ASKED = Message("BSHO2127-I", "{suite} on {host} is to be {aim}")
"""A suite that was on its way up is stopped, or the other way round."""
SERVICE_STATE = Message("BSHO2128-I", "service {service} of {suite} on {host} is {state}")
"""A service has changed its state, as it should."""
SERVICE_DOWN = Message(
    "BSHO2129-E", "service {service} of {suite} on {host} counts as not running: it is {state}, status {status!r}"
)
"""A service has ended, hangs, or takes longer for its start or its end than it may.

Action: read its log and remove the reason; on a logical host the cluster restarts or fails over.
"""
SERVICE_AGAIN = Message("BSHO2130-I", "service {service} of {suite} on {host} is started again: restart {count}")
"""A service of a physical host that had ended abnormally is restarted."""
RECORD_UNWRITTEN = Message("BSHO2131-E", "the status record of {suite} on {host} cannot be written: {reason}")
"""A process manager cannot say how its suite stands: the status is 12, then 1.

Action: look at the run-time folder, which is /run/bansho or what BANSHO_RUN names: whether it is full, or was removed.
"""
LOG_ASIDE = Message("BSHO2132-I", "the service log {name} was too large and is set aside")
"""A service's log on the shared disk has outgrown 10 MiB; NAME.1 has the last of it."""
LOG_STAYS = Message("BSHO2133-W", "the service log {name} is too large and cannot be set aside: {problem}")
"""A service's log on the shared disk has outgrown 10 MiB, and grows on.

Action: look at the shared disk, and at the log's folder.
"""
JEVSEND_WELL = Message("BSHO2134-I", "jevsend takes the process events of {suite} on {host} again")
"""What had kept jevsend from a process event is over."""
JEVSEND_SAYS = Message("BSHO2135-W", "jevsend cannot do all for the process events of {suite} on {host}: {messages[0]}")
"""A process event waits in the spool or for it, or the event service refused it; what waits is tried again.

Action: as the message of jevsend says, which has an id of its own.
"""
EVENT_TOLD = Message("BSHO2136-I", "process event {event_id} of service {service} of {suite} on {host} is to be told")
"""A service has changed in a way that the event service is told of."""
EVENT_DROPPED = Message(
    "BSHO2137-W",
    "process event {event_id} of service {service} of {suite} on {host} is dropped: {waiting} wait already",
)
"""Too many process events wait for the shared disk, which does not answer.

Action: look at the disk; this log has what happened to the service.
"""
UNEXPECTED = Message("BSHO2138-E", "the process manager of {suite} on {host} met with what nobody expected: {error}")
"""An exception that is handled nowhere; the entry's traceback says where it came from.

Action: ask the status command how the suite stands, and report the entry as a fault of this program.
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
