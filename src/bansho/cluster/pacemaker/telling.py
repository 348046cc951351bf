"""`python -m bansho.cluster.pacemaker.telling HOST`: tells the console how the cluster sees it (docs/adr/0007).

The console runs as an ordinary user, who may not ask Pacemaker: whoever may ask may also order anything. The resource
agent leaves this process beside the running Manager. It answers at a socket that only the services' user and root can
reach, asks the cluster only when somebody wants to know, and ends once the logical host has left the node. What
Pacemaker knows of the takeover before the lease was taken, it puts into the takeover history.
"""

import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from bansho.cluster.errors import ToolFailed, ToolMissing
from bansho.cluster.pacemaker import prelude, status
from bansho.cluster.pacemaker.cib import Cib
from bansho.cluster.pacemaker.status import HostStatus
from bansho.contract.messages import BanshoError
from bansho.logicalhost import clusterstate, definition, history
from bansho.logicalhost.clusterstate import ClusterState, FailureCount, NodeState, ResourceState
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.mounts import is_mounted

FRESH = 1.0
"""The cluster is asked at most once in this many seconds, however many want to know."""
PATIENCE = 4.0
"""Seconds for the cluster to answer."""
HAND_OVER = 1.0
"""Seconds for a caller to take the answer."""
LOOK = 10.0
"""Seconds after which an idle teller looks whether it is still wanted, should it have missed the unmount."""


class Teller:
    """Asks the cluster, and keeps the answer for a moment."""

    def __init__(self, host: LogicalHost) -> None:
        self._host = host
        self._made = -FRESH
        self._content = b""

    def content(self) -> bytes:
        """The state as JSON, made now or a moment ago."""
        if time.monotonic() - self._made > FRESH:
            self._content = clusterstate.encode(look(self._host))
            self._made = time.monotonic()
        return self._content


def look(host: LogicalHost) -> ClusterState:
    """The logical host as the cluster sees it now; or why the cluster could not be asked."""
    now = time.time()
    try:
        answer = status.look(Cib(), PATIENCE)
    except (ToolMissing, ToolFailed) as error:
        return ClusterState(at=now, problem=str(error))
    found = status.read(answer, host.name)
    if found is None:
        return ClusterState(at=now, problem=f"the cluster does not know the logical host {host.name}")
    return state(found, host.cluster.nodes, status.fencing_problem(answer), now)


def state(found: HostStatus, wanted: tuple[str, ...], fencing: str, now: float) -> ClusterState:
    """What is told of a status; `wanted` are the nodes that the definition names, all where it names none. Pure."""
    banned = {each.node for each in found.failures if each.bans}
    return ClusterState(
        at=now,
        home=found.home,
        quorum=found.quorum,
        maintenance=found.maintenance,
        stopped=found.stopped,
        fencing=fencing,
        nodes=[
            NodeState(
                name=each.name,
                state=each.state,
                could_run=each.state == "online" and each.name not in banned and (not wanted or each.name in wanted),
            )
            for each in found.nodes
        ],
        resources=[ResourceState(**{**each._asdict(), "nodes": list(each.nodes)}) for each in found.resources],
        failures=[FailureCount(**each._asdict(), bans=each.bans) for each in found.failures],
    )


@contextmanager
def alone(host: LogicalHost) -> Iterator[None]:
    """While nobody else tells it. Raises BlockingIOError where somebody does."""
    with host.node.cluster_lock.open("w") as lock:
        flock(lock, LOCK_EX | LOCK_NB)
        yield


def listen(host: LogicalHost) -> socket.socket:
    """The socket, in place: for root and the services' group alone."""
    path, new = host.node.cluster_socket, host.node.cluster_socket.with_suffix(".new")
    new.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(new))
    finally:
        os.umask(before)
    if os.geteuid() == 0:
        os.chown(new, 0, host.shared.services_user[1])
    new.chmod(0o660)
    new.replace(path)
    listener.listen()
    return listener


def wanted(host: LogicalHost) -> bool:
    """Whether the logical host may be here still, and somebody could ask: its disk is, and the socket."""
    return host.node.cluster_socket.exists() and (not host.disk or is_mounted(host.disk.mount_point))


def serve(host: LogicalHost, listener: socket.socket) -> None:
    """Answers for as long as it is wanted."""
    teller = Teller(host)
    with Path("/proc/self/mountinfo").open() as mounts:
        events = select.poll()
        events.register(listener, select.POLLIN)
        events.register(mounts, select.POLLPRI)
        while wanted(host):
            if any(descriptor == listener.fileno() for descriptor, _ in events.poll(LOOK * 1000)):
                answer(listener, teller)


def answer(listener: socket.socket, teller: Teller) -> None:
    """Gives one caller the state."""
    with suppress(OSError), closing(listener.accept()[0]) as caller:
        caller.settimeout(HAND_OVER)
        caller.sendall(teller.content())


def remember(host: LogicalHost) -> None:
    """Adds to the takeover history what was before the lease, once a takeover."""
    with suppress(ToolMissing, ToolFailed, OSError):
        for leg, at in prelude.missing(status.look(Cib(), PATIENCE), host.name, history.marks(host.shared)):
            history.mark(host.shared, leg, at=at)


def main() -> None:
    """Tells it, until nobody needs to know. There is nobody to complain to: what goes wrong ends it."""
    try:
        host = definition.load(sys.argv[1])
    except BanshoError as error:
        sys.exit(str(error))
    with suppress(BlockingIOError), alone(host):
        with closing(listen(host)) as listener:
            remember(host)
            serve(host, listener)
        host.node.cluster_socket.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
