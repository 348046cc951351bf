"""How the cluster sees a logical host, as one node tells its unprivileged services (docs/house.md).

Whoever connects to `/run/bansho/HOST/cluster.sock` gets one `ClusterState` as JSON, made at that moment, and the end
of the connection. Nothing is asked and nothing can be ordered there.
"""

import msgspec

MAXIMUM_BYTES = 1 << 20
"""More than this is no answer."""


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """One node as the cluster sees it."""

    name: str
    state: str
    """`online`, `standby`, `maintenance`, `unclean` or `offline`."""
    could_run: bool
    """Whether the logical host could run there now: a node of its definition, online, and not banned by failures."""


class ResourceState(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of the logical host."""

    id: str
    role: str
    nodes: list[str]
    since: float | None
    """When it was started there, in seconds since 1970; None where the cluster does not say."""
    managed: bool
    failed: bool
    blocked: bool
    reason: str
    """Why it failed last, in its agent's words; else empty."""


class FailureCount(msgspec.Struct, frozen=True, kw_only=True):
    """Failures of one resource on one node that are still counted."""

    resource: str
    node: str
    counted: int
    bans: bool
    """Whether the resource is banned from the node until the failure window has passed."""
    last: str
    """When the last one was, as the cluster says it."""


class ClusterState(msgspec.Struct, frozen=True, kw_only=True):
    """A logical host as its cluster sees it."""

    at: float
    """When the cluster was asked, in seconds since 1970."""
    problem: str = ""
    """Why the cluster could not be asked; then the rest says nothing."""
    home: str = ""
    """The node on which all of it runs; empty where that is not so."""
    quorum: bool = False
    maintenance: bool = False
    """The cluster keeps its hands off."""
    stopped: bool = False
    """An operator has stopped it."""
    fencing: str = ""
    """Why this cluster could not fence a node; empty when it could."""
    nodes: list[NodeState] = []
    resources: list[ResourceState] = []
    failures: list[FailureCount] = []


def encode(state: ClusterState) -> bytes:
    """The state as it is told."""
    return msgspec.json.encode(state)


def decode(content: bytes) -> ClusterState:
    """The state that was told. Raises msgspec.DecodeError."""
    return msgspec.json.decode(content, type=ClusterState)
