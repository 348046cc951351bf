"""This node in the cluster: its name, quorum, fencing that is configured and proven, and the other nodes."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bansho.cluster import facts, plan
from bansho.cluster.doctor.finding import CannotTell, Finding, Subject, ask, right, unknown, warning, wrong
from bansho.cluster.pacemaker import attribute
from bansho.cluster.pacemaker.cib import fencing_devices, fencing_problem, parse
from bansho.cluster.pacemaker.fencing import unfenceable

SAFE_POLICIES = frozenset({"stop", "suicide", "demote", "freeze"})


def cluster(subject: Subject) -> Element:
    """The live cluster's information base. Raises CannotTell."""
    if subject.cib is None:
        raise CannotTell("this node is in no running cluster")
    return subject.cib


def name(subject: Subject) -> Iterator[Finding]:
    """This node is one of those that the definition names, by the name that the cluster gives it."""
    nodes = subject.host.cluster.nodes
    if subject.node not in nodes:
        yield wrong(f"this node is {subject.node}, and cluster.nodes is {', '.join(nodes)}", "correct cluster.nodes")
    else:
        yield right(f"this node is {subject.node}")
    members = [each.get("uname", "") for each in cluster(subject).findall("configuration/nodes/node")]
    strangers = [each for each in nodes if each not in members]
    if strangers:
        yield wrong(f"the cluster has no node {', '.join(strangers)}", "correct cluster.nodes, or let them join")


def quorum(subject: Subject) -> Iterator[Finding]:
    """A part of the cluster that lost the majority must not go on."""
    cib = cluster(subject)
    policy = cib.find("configuration/crm_config//nvpair[@name='no-quorum-policy']")
    value = policy.get("value", "") if policy is not None else "stop"
    if value not in SAFE_POLICIES:
        yield wrong(f"no-quorum-policy is {value}: two halves could both run it", "set no-quorum-policy=stop")
    if cib.get("have-quorum") == "1":
        yield right(f"the cluster has quorum; without it: {value}")
    else:
        yield wrong("the cluster has no quorum now", "bring up the other nodes; see: corosync-quorumtool")


def fencing(subject: Subject) -> Iterator[Finding]:
    """Configured for every node, and seen to work on it."""
    cib = cluster(subject)
    problem = fencing_problem(cib)
    if problem:
        yield wrong(problem, "configure a fencing device, and stonith-enabled=true")
        return
    if beyond := unfenceable(cib, subject.host.cluster.nodes):
        yield wrong(
            f"no fencing device can fence {', '.join(beyond)}",
            "give each a fencing device; see: stonith_admin --list NODE",
        )
    else:
        yield right(f"fencing by {', '.join(fencing_devices(cib))}")
    done = ask("stonith_admin", "--history", "*", "--output-as=xml")
    if done.returncode != 0:
        raise CannotTell(f"the history of fencing: {done.stderr.strip()}")
    fenced = proven(parse(done.stdout))
    never = [each for each in subject.host.cluster.nodes if each not in fenced]
    if never:
        todo = "test it while nothing depends on the node: stonith_admin --reboot NODE"
        yield warning(f"fencing of {', '.join(never)} has not been seen to work since the cluster started", todo)
    else:
        yield right("fencing has worked on every node")


def proven(history: Element) -> set[str]:
    """The nodes that were fenced with success."""
    events = history.iter("fence_event")
    return {each.get("target", "") for each in events if each.get("status") == "success"}


def alike(subject: Subject) -> Iterator[Finding]:
    """What must be the same on every node, as the others have told it."""
    told = attribute.told(cluster(subject), subject.host.name)
    mine = facts.of_this_node(subject.host.name)
    found = facts.compare(subject.host.cluster.nodes, subject.node, mine, told)
    silent = [each for each in found if "has told nothing" in each]
    yield from (unknown(each, f"bansho cluster diff {subject.host.name}, on that node") for each in silent)
    yield from (wrong(each, "make the nodes alike") for each in found if each not in silent)
    if not found:
        yield right("every node has told the same")


def budget(subject: Subject) -> Iterator[Finding]:
    """The definition's time limits fit each other."""
    made = plan.plan(subject.host, "")
    yield from (wrong(plan.shortfall(each), each.change) for each in made.shortfalls)
    yield from (unknown(each, "run this on the active node") for each in made.unchecked)
    if not made.shortfalls:
        yield right(f"{len(made.budget)} demands on time limits fit")
