"""Whether a cluster may be drilled: everything well, and able to fence each of the logical host's nodes."""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from bansho.base import tokens
from bansho.cluster.pacemaker import cib, fencing, status
from bansho.cluster.pacemaker.cib import Cib
from bansho.cluster.pacemaker.status import HostStatus
from bansho.contract.suites import COMMANDS
from bansho.drill.site.errors import NoLongerFit, NotFit
from bansho.drill.site.here import Here, is_root

TOKEN = "drill"  # noqa: S105 - a name
"""The probe token's name. There is one: two drills at once would each see the other's faults."""
LEFT_BY_A_MOVE = "cli-"
"""With this begin the ids of the constraints that `crm_resource --move` leaves."""


def require(here: Here) -> None:
    """Raises NotFit with every reason against a drill, or NotRegistered, ToolMissing, ToolFailed."""
    if found := [*reasons(here), *_token(here)]:
        raise NotFit(name=here.name, node=here.node, reasons="; ".join(found))


def require_still(here: Here, rounds: int) -> None:
    """After so many rounds of this drill, whose token it is: raises NoLongerFit, or as `require` does."""
    if found := list(reasons(here)):
        raise NoLongerFit(name=here.name, node=here.node, rounds=rounds, reasons="; ".join(found))


def reasons(here: Here) -> Iterator[str]:
    """Why there must be no drill now; nothing where all is well."""
    if not is_root():
        yield "this is not root: call it as root"
    if set(here.host.suites) != set(COMMANDS):
        yield f"its suites are {', '.join(here.host.suites)}: the drill needs {' and '.join(COMMANDS)}"
        return
    live, seen = cib.parse(Cib().query()), status.look(Cib())
    yield from of_cluster(live, seen, fencing.unfenceable(live, here.host.cluster.nodes))
    yield from of_host(here, live, here.status())


def of_cluster(live: Element, seen: Element, unfenceable: Sequence[str]) -> Iterator[str]:
    """Of the cluster as a whole: `live` is its information base, `seen` its status. Pure."""
    if problem := cib.fencing_problem(live):
        yield f"{problem}: configure one, see: bansho doctor"
    else:
        yield from _idle_devices(live, seen)
        if unfenceable:
            yield f"no fencing device can fence {', '.join(unfenceable)}, see: stonith_admin --list NODE"
    for each in status.failures(seen):
        yield f"{each.resource} has failures counted on {each.node}: mend it, then crm_resource --cleanup"


def _idle_devices(live: Element, seen: Element) -> Iterator[str]:
    for device in cib.fencing_devices(live):
        if not status.homes(seen, [device])[device]:
            yield f"the fencing device {device} does not run: start it"


def of_host(here: Here, live: Element, found: HostStatus) -> Iterator[str]:
    """Of the logical host."""
    if not found.quorum:
        yield "the cluster has no quorum: bring up the other nodes"
    if found.maintenance or any(each.state == "maintenance" for each in found.nodes):
        yield f"it is in maintenance: bansho cluster maintenance off {here.name}"
    online = [each.name for each in found.nodes if each.state == "online"]
    if len(set(online) & set(here.host.cluster.nodes)) < 2:
        yield f"two nodes must be online to take it over; now: {', '.join(online) or 'none'}"
    left = cib.constraints_on(live, [here.name, *(each.id for each in found.resources)])
    if moved := [each for each in left if each.startswith(LEFT_BY_A_MOVE)]:
        yield f"an operator's move left {', '.join(moved)}: crm_resource --clear --resource {here.name}"
    yield from _running(here, found)


def _running(here: Here, found: HostStatus) -> Iterator[str]:
    if found.stopped:
        yield f"an operator has stopped it: crm resource start {here.name}"
    elif not found.home:
        yield "it is not all running, by the cluster: see bansho cluster status"
    elif found.home != here.node:
        yield f"it runs on {found.home}: call the drill there, where its shared disk is"
    elif not here.all_running():
        yield f"its suites are not all running: {', '.join(f'{s} {here.value(s)}' for s in COMMANDS)}"


def _token(here: Here) -> Iterator[str]:
    if any(each.name == TOKEN for each in tokens.listed(here.host.shared)):
        yield (
            f"token {TOKEN!r} exists: another drill runs, or one was killed;"
            f" if none runs: bansho token revoke {TOKEN} --host {here.name}"
        )
