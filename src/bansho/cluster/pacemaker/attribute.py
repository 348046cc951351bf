"""What each node tells the others about a logical host, as an attribute of the node in the cluster.

It is told when the cluster asks a node what runs there (at registration, and whenever the node joins), and by
`bansho cluster apply` and `diff` on the node where they are called. It goes when the node leaves the cluster.
"""

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from bansho.cluster import facts
from bansho.cluster.pacemaker.cib import Cib

TELLS_WITHIN = 5.0
"""Seconds allowed for telling: a probe waits for it."""


def attribute_of(host: str) -> str:
    """The attribute's name for a logical host."""
    return f"bansho-{host}"


def tell(host: str, found: Mapping[str, str]) -> None:
    """Tells this node's facts. Raises ToolMissing, or ToolFailed on a node that is in no running cluster."""
    update = ("--name", attribute_of(host), "--update", facts.encode(found))
    Cib().run("attrd_updater", *update, patience=TELLS_WITHIN)


def told(cib: Element, host: str) -> dict[str, dict[str, str]]:
    """Node -> the facts that it told, for nodes that told any."""
    found = {}
    for node in cib.findall("status/node_state"):
        pair = node.find(f"transient_attributes//nvpair[@name='{attribute_of(host)}']")
        if pair is not None:
            found[node.get("uname", "")] = facts.decode(pair.get("value", ""))
    return found
