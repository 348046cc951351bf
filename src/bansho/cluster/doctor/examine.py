"""All the checks, in the order in which a node is furnished, and their verdict."""

from collections.abc import Iterator, Sequence

from bansho.cluster.agent import shared
from bansho.cluster.doctor import clock, directory, disk, membership, names, network, programs
from bansho.cluster.doctor.finding import CannotTell, Check, Examined, Finding, Level, Subject, unknown, wrong
from bansho.cluster.errors import NotForACluster, ToolFailed, ToolMissing
from bansho.cluster.pacemaker import status
from bansho.cluster.pacemaker.cib import Cib, parse
from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.node import identity

RIGHT, WRONG, INCOMPLETE = 0, 1, 3
"""Exit codes: nothing wrong (warnings apart), something wrong, nothing wrong as far as it could be looked at."""

CHECKS = (
    Check("name resolution", "clients and the suites find the logical host by its name, both ways", names.look),
    Check(
        "ip_nonlocal_bind",
        "where it is on, a service can bind an address that this node does not have, and looks healthy",
        network.nonlocal_bind,
    ),
    Check("address in a local network", "the cluster can set it only there", network.local_network),
    Check("address free", "two machines with one address take each other's connections", network.free),
    Check("ports", "a service that cannot bind its port does not start after a takeover", network.ports),
    Check("disk", "the cluster mounts it, and a journal makes it whole after a power failure", disk.kind),
    Check("multi-mount protection", "two nodes that mount one file system destroy it", disk.multi_mount),
    Check("mount options", "an acknowledged event must survive a power failure", disk.options),
    Check("mounted by the cluster alone", "what is mounted at boot is mounted twice", disk.mounted_by_cluster_alone),
    Check("of one logical host", "two hosts in one directory overwrite each other", directory.alone),
    Check(
        "permissions",
        "who can write the definition is root; who reads the secrets can send events",
        directory.permissions,
    ),
    Check("clock", "events are ordered, and certificates and leases judged, by time", clock.look),
    Check("PostgreSQL", "another major version cannot open the data", programs.postgresql),
    Check("user", "files on the shared disk belong to a number, which must mean the same user", programs.user),
    Check("agents", "a node without them fails every start and is banned", programs.agents),
    Check("node name", "the cluster runs it only on nodes that the definition names", membership.name),
    Check("quorum", "without a majority nobody may decide who is active", membership.quorum),
    Check("fencing", "an owner that cannot be reached must be proven dead before another starts", membership.fencing),
    Check("nodes alike", "a takeover ends on a node that is furnished otherwise", membership.alike),
    Check("time limits", "a limit that is too short turns a slow start into a failure", membership.budget),
)


def subject(host: LogicalHost) -> Subject:
    """The logical host on this node, with the live cluster where there is one."""
    online = shared.online(host.shared_directory, host.disk.mount_point if host.disk else "")
    try:
        live = parse(Cib().query())
        found = status.read(status.look(Cib()), host.name)
    except (ToolMissing, ToolFailed):
        return Subject(host, identity().node, online, None, "")
    return Subject(host, identity().node, online, live, found.home if found else "")


def examine(subject: Subject, checks: Sequence[Check] = CHECKS) -> Iterator[Examined]:
    """Makes each check; one that cannot be made says so."""
    for check in checks:
        yield Examined(check, tuple(_look(check, subject)))


def _look(check: Check, subject: Subject) -> Iterator[Finding]:
    try:
        yield from check.look(subject)
    except NotForACluster as error:
        yield wrong(str(error), "correct that key of the definition")
    except (CannotTell, BanshoError, OSError) as reason:
        yield unknown(str(reason), "mend that, and examine the node again")


def verdict(examined: Sequence[Examined]) -> int:
    """The exit code."""
    levels = {finding.level for each in examined for finding in each.findings}
    if Level.PROBLEM in levels:
        return WRONG
    return INCOMPLETE if Level.UNKNOWN in levels else RIGHT
