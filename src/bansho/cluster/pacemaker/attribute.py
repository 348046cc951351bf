"""What each node tells the others about a logical host, as an attribute of the node in the cluster.

It is told when the cluster asks a node what runs there (at registration, and whenever the node joins), and by
`bansho cluster apply` and `diff` on the node where they are called. It goes when the node leaves the cluster.

`python -m bansho.cluster.pacemaker.attribute HOST` tells this node's; elsewhere than in a cluster nobody listens.
"""

import contextlib
import sys
from xml.etree.ElementTree import Element

from bansho.cluster import facts
from bansho.cluster.errors import ToolFailed, ToolMissing
from bansho.cluster.pacemaker.cib import Cib

TELLS_WITHIN = 5.0
"""Seconds allowed for telling."""


def attribute_of(host: str) -> str:
    """The attribute's name for a logical host."""
    return f"bansho-{host}"


def tell(host: str) -> None:
    """Tells this node's facts. Elsewhere than in a running cluster nobody listens, which is no matter."""
    update = ("--name", attribute_of(host), "--update", facts.encode(facts.of_this_node(host)))
    with contextlib.suppress(ToolMissing, ToolFailed):
        Cib().run("attrd_updater", *update, patience=TELLS_WITHIN)


def told(cib: Element, host: str) -> dict[str, dict[str, str]]:
    """Node -> the facts that it told, for nodes that told any."""
    found = {}
    for node in cib.findall("status/node_state"):
        pair = node.find(f"transient_attributes//nvpair[@name='{attribute_of(host)}']")
        if pair is not None:
            found[node.get("uname", "")] = facts.decode(pair.get("value", ""))
    return found


if __name__ == "__main__":
    tell(sys.argv[1])
