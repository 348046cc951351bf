"""Which nodes the cluster's fencing devices could fence."""

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from bansho.cluster.pacemaker.cib import Cib, fencing_devices, parse

LISTS = ("pcmk_host_list", "pcmk_host_map")
"""The parameters of a device that name nodes; in the second each has its name for the device behind a colon."""


def unfenceable(cib: Element, nodes: Iterable[str]) -> list[str]:
    """Those of `nodes` that no device can fence. Raises ToolMissing or ToolFailed.

    A node's fencer knows only the devices that this node may use. Of the others, such as the one that must not run on
    the node that it fences, the list of nodes is read; where there is none, only their own agents know.
    """
    elsewhere = [named(cib, each) for each in set(fencing_devices(cib)) - usable()]
    return [node for node in nodes if not usable(node) and not any(of is None or node in of for of in elsewhere)]


def usable(node: str = "") -> frozenset[str]:
    """The devices that this node may use; with `node` those of them that can fence that one.

    Pacemaker 2.1.5 ends with 0 where there is none. Raises ToolMissing or ToolFailed.
    """
    asked = ("--list", node) if node else ("--list-registered",)
    found = parse(Cib().run("stonith_admin", *asked, "--output-as=xml").stdout)
    return frozenset(each.text or "" for each in found.iter("item"))


def named(cib: Element, device: str) -> frozenset[str] | None:
    """The nodes that a device's own parameters name. None where they name none."""
    parameters = cib.findall(f".//primitive[@id='{device}']/instance_attributes/nvpair")
    lists = [each.get("value", "") for each in parameters if each.get("name") in LISTS]
    entries = re.split(r"[\s,;]+", " ".join(lists))
    return frozenset(entry.partition(":")[0] for entry in entries if entry) if lists else None
